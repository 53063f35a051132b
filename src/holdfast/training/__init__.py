"""Plan x Dataset -> Run: folds, the portfolio under a budget, the ensemble, tuning."""
