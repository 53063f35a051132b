"""Predictions -> Finding -> Fix -> proof: what is wrong with a model or its data, and what mends it.

Kinds of findings, one public function each, called by `project.debug`:
    label_errors   labels that a model which has not seen them contradicts (by `confident`, `label_noise`)
    slices         readable parts of the data with a higher loss (`predicates`, `lattice`, `slices_distinct`)
    calibration    probabilities that do not mean what they say
    imbalance      classes that are given up on, thresholds that another aim would move
    bias           groups that are treated differently, and columns that give a group away
    data_faults    twins, conflicts, gaps (and `redundancy`, `odd_cells`, `drift`)
    leakage        columns that know the outcome (and `split_leaks`: rows that the split let meet)
    fit            over- and underfitting, more data (by `learning_curve`, `leftover`)
    robustness     broken and garbled cells (by `perturb`), unusual rows and rare levels (`unusual`)
    unstable       answers that hang on the seed or the fold
    shortcut       one column that carries the model

Questions about labels and single rows:
    annotators     what several annotators say together
    explain        why one row gets its answer

What kinds share:
    case           a dataset and the predictions of it, row by row, halved to search and to confirm
    effect         a mean in some rows, against the others, before against after
    losses         what a loss is called, and whose share of it lies where
    parts          one column cut into parts that a person can read
    cells          cells as numbers, and how unusual a row of them is
    corrected      what is left after correcting for all that was tried

From a finding to a fix, and whether it holds:
    fixes          which fixes apply to a finding (`changes` of the plan, `row_changes` of the data)
    proof          whether a fix is better where it should be and worse nowhere
    relabelled     the same where labels were changed
    gap_change     the same where groups should come closer
"""
