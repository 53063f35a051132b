"""Each kind of finding by itself: `hf.find.slices(dataset, predictions)`.

All give a tuple of Findings. Those that ask the model something new take the run too, and the
project that it is of: `hf.find.robustness(dataset, predictions, run, project="DIR")`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Protocol

from holdfast.core.dataset import Dataset
from holdfast.core.finding import Finding
from holdfast.core.predictions import Predictions
from holdfast.core.run import Run
from holdfast.debugging import fit as _fit
from holdfast.debugging import leakage as _leakage
from holdfast.debugging import robustness as _robustness
from holdfast.debugging import shortcut as _shortcut
from holdfast.debugging import unstable as _unstable
from holdfast.debugging.annotators import consensus
from holdfast.debugging.bias import bias
from holdfast.debugging.calibration import calibration
from holdfast.debugging.data_faults import data_faults
from holdfast.debugging.imbalance import imbalance
from holdfast.debugging.label_errors import label_errors
from holdfast.debugging.slices import slices
from holdfast.errors import InputError
from holdfast.project.handle import Project, home_of
from holdfast.project.probing import asked

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


class _OfModel(Protocol):
    def __call__(
        self,
        dataset: Dataset,
        predictions: Predictions,
        model: Run | None = None,
        *,
        project: str | Path | Project = ".",
        seed: int = 0,
    ) -> tuple[Finding, ...]: ...


def _of_model(look: Callable[..., tuple[Finding, ...]], *, alone: bool = False) -> _OfModel:
    """A kind that asks a probe, as one that is handed a run; `alone`: it tells something without, too."""
    name = look.__name__

    def kind(
        dataset: Dataset,
        predictions: Predictions,
        model: Run | None = None,
        *,
        project: str | Path | Project = ".",
        seed: int = 0,
    ) -> tuple[Finding, ...]:
        with nullcontext() if model is None else asked(home_of(project), model) as probe:
            if probe is None and not alone:
                raise InputError(
                    f"hf.find.{name} asks the model new questions, so it needs a run that has one: "
                    f"hf.find.{name}(dataset, predictions, run, project='DIR')"
                )
            return look(dataset, predictions, probe, seed=seed)

    kind.__name__ = kind.__qualname__ = name
    kind.__doc__ = look.__doc__
    return kind


fit = _of_model(_fit.fit)
leakage = _of_model(_leakage.leakage, alone=True)
robustness = _of_model(_robustness.robustness)
shortcut = _of_model(_shortcut.shortcut)
unstable = _of_model(_unstable.unstable)
