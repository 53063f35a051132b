"""Holdfast trains models that only get better.

    import holdfast as hf

    run = hf.train("customers.csv", target="churn", project=".")
    predictions = hf.predict(run, "new_customers.csv")
    hf.evaluate(run.predictions)          # every metric, each with its interval
    findings = hf.debug(run, project=".")  # what is wrong with it
    proof = hf.fix(findings[0], project=".")

The names below are loaded when they are first used, so that importing is instant.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from holdfast.comparison.many import Comparison
    from holdfast.core.dataset import Dataset
    from holdfast.core.estimate import Estimate
    from holdfast.core.leaderboard import Leaderboard
    from holdfast.core.predictions import Predictions
    from holdfast.core.run import Run
    from holdfast.core.verdict import Verdict
    from holdfast.data.read import read
    from holdfast.debugging.label_errors import label_quality
    from holdfast.errors import HoldfastError
    from holdfast.metrics import Metric
    from holdfast.project import find
    from holdfast.project.debug import debug
    from holdfast.project.explain import explain
    from holdfast.project.fix import fix
    from holdfast.project.gate import release
    from holdfast.project.guard import guard
    from holdfast.project.handle import Project
    from holdfast.project.handle import open_project as open  # noqa: A004
    from holdfast.project.judge import compare, compare_many, evaluate, leaderboard
    from holdfast.project.log import log
    from holdfast.project.predict import load_model, predict, save_model
    from holdfast.project.report import write_report
    from holdfast.project.sign_off import approve
    from holdfast.project.train import train

__version__ = "0.1.0"

# public name -> "module:attribute", or "module:" for the module itself
_WHERE = {
    "Comparison": "holdfast.comparison.many:Comparison",
    "Dataset": "holdfast.core.dataset:Dataset",
    "Estimate": "holdfast.core.estimate:Estimate",
    "HoldfastError": "holdfast.errors:HoldfastError",
    "Leaderboard": "holdfast.core.leaderboard:Leaderboard",
    "Metric": "holdfast.metrics:Metric",
    "Predictions": "holdfast.core.predictions:Predictions",
    "Project": "holdfast.project.handle:Project",
    "Run": "holdfast.core.run:Run",
    "Verdict": "holdfast.core.verdict:Verdict",
    "approve": "holdfast.project.sign_off:approve",
    "compare": "holdfast.project.judge:compare",
    "compare_many": "holdfast.project.judge:compare_many",
    "debug": "holdfast.project.debug:debug",
    "evaluate": "holdfast.project.judge:evaluate",
    "explain": "holdfast.project.explain:explain",
    "find": "holdfast.project.find:",
    "fix": "holdfast.project.fix:fix",
    "guard": "holdfast.project.guard:guard",
    "label_quality": "holdfast.debugging.label_errors:label_quality",
    "leaderboard": "holdfast.project.judge:leaderboard",
    "load_model": "holdfast.project.predict:load_model",
    "log": "holdfast.project.log:log",
    "open": "holdfast.project.handle:open_project",
    "predict": "holdfast.project.predict:predict",
    "read": "holdfast.data.read:read",
    "release": "holdfast.project.gate:release",
    "save_model": "holdfast.project.predict:save_model",
    "train": "holdfast.project.train:train",
    "write_report": "holdfast.project.report:write_report",
}

_DRAWN = ("Comparison", "Dataset", "Estimate", "Leaderboard", "Predictions", "Run", "Verdict")

__all__ = [
    "Comparison",
    "Dataset",
    "Estimate",
    "HoldfastError",
    "Leaderboard",
    "Metric",
    "Predictions",
    "Project",
    "Run",
    "Verdict",
    "approve",
    "compare",
    "compare_many",
    "debug",
    "evaluate",
    "explain",
    "find",
    "fix",
    "guard",
    "label_quality",
    "leaderboard",
    "load_model",
    "log",
    "open",
    "predict",
    "read",
    "release",
    "save_model",
    "train",
    "write_report",
]


def __getattr__(name: str) -> object:
    where = _WHERE.get(name)
    if where is None:
        raise AttributeError(f"module 'holdfast' has no attribute {name!r}")
    module, _, attribute = where.partition(":")
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])


def load_ipython_extension(shell: Any) -> None:
    """Let a notebook draw Holdfast's values; done on import there, elsewhere: `%load_ext holdfast`."""
    formatter = shell.display_formatter.formatters["text/html"]
    for name in _DRAWN:
        module, _, attribute = _WHERE[name].partition(":")
        formatter.for_type_by_name(module, attribute, _html)


def _html(value: object) -> str:
    drawn: str = import_module("holdfast.report.notebook").html(value)
    return drawn


if (_ipython := sys.modules.get("IPython")) and (_shell := _ipython.get_ipython()):
    load_ipython_extension(_shell)
