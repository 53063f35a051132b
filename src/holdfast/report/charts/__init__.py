"""Charts by Altair: a core value in, a chart out, which a notebook shows and `save` writes.

A notebook shows a chart by Altair's renderer, whose default loads Vega from the network;
`altair.renderers.enable("svg")` draws the same without it.
"""

from holdfast.report.charts.against import against_champion
from holdfast.report.charts.board import leaderboard, quality_against_time
from holdfast.report.charts.classes import confusion, precision_recall, reliability, roc
from holdfast.report.charts.frame import encoded, save
from holdfast.report.charts.model import importance, learning, residuals
from holdfast.report.charts.staircase import staircase

__all__ = [
    "against_champion",
    "confusion",
    "encoded",
    "importance",
    "leaderboard",
    "learning",
    "precision_recall",
    "quality_against_time",
    "reliability",
    "residuals",
    "roc",
    "save",
    "staircase",
]
