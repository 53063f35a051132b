"""Each kind of finding by itself: `hf.find.slices(dataset, predictions)`.

All give a tuple of Findings. Those that ask the model something new take a Probe too.
"""

from __future__ import annotations

from holdfast.debugging.annotators import consensus
from holdfast.debugging.bias import bias
from holdfast.debugging.calibration import calibration
from holdfast.debugging.data_faults import data_faults
from holdfast.debugging.fit import fit
from holdfast.debugging.imbalance import imbalance
from holdfast.debugging.label_errors import label_errors
from holdfast.debugging.leakage import leakage
from holdfast.debugging.robustness import robustness
from holdfast.debugging.shortcut import shortcut
from holdfast.debugging.slices import slices
from holdfast.debugging.unstable import unstable

__all__ = [
    "bias",
    "calibration",
    "consensus",
    "data_faults",
    "fit",
    "imbalance",
    "label_errors",
    "leakage",
    "robustness",
    "shortcut",
    "slices",
    "unstable",
]
