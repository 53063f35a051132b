"""How a notebook shows values, which themselves know nothing of drawing."""

from __future__ import annotations

from holdfast.core.run import Run
from holdfast.report.html import environment

# (module, class) -> the template macro that draws it; by name, because some are of layers above
_MACROS = {
    ("holdfast.comparison.many", "Comparison"): "comparison",
    ("holdfast.core.dataset", "Dataset"): "dataset",
    ("holdfast.core.estimate", "Estimate"): "interval",
    ("holdfast.core.leaderboard", "Leaderboard"): "warned_leaderboard",
    ("holdfast.core.predictions", "Predictions"): "predictions",
    ("holdfast.core.report_facts", "DataFacts"): "data",
    ("holdfast.core.run", "RunRecord"): "run",
    ("holdfast.core.verdict", "Verdict"): "verdict",
}


def html(value: object) -> str:
    """A value as HTML; TypeError for a kind that has no drawing."""
    value = value.record if isinstance(value, Run) else value
    kind = (type(value).__module__, type(value).__name__)
    if kind not in _MACROS:
        raise TypeError(f"There is no drawing of {kind[1]} for notebooks.")
    module = environment().get_template("parts.html.j2").module
    return f'<div class="holdfast">{getattr(module, _MACROS[kind])(value)}</div>'
