"""Values draw themselves in a notebook, and cost nothing elsewhere."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import holdfast as hf

CELLS = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
import holdfast as hf
import sys
assert "polars" not in sys.modules, "importing is instant in a notebook too"
predictions = hf.Predictions.of(example=["a", "b"], target=["no", "yes"], probability=[0.2, 0.7])
for value in (predictions, hf.evaluate(predictions, "log_loss")):
    bundle, _ = shell.display_formatter.format(value)
    assert bundle["text/html"].startswith('<div class="holdfast">'), bundle
    assert bundle["text/plain"]
"""


@pytest.fixture(scope="module")
def values() -> dict[str, object]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    table = pl.DataFrame({"x": x, "<b>kind": rng.choice(["u", "v"], 200), "y": x + rng.normal(size=200)})
    data = hf.read(table, target="y")
    ids = [str(i) for i in range(200)]
    p, q, r = (
        hf.Predictions.of(
            example=ids, target=table["y"], prediction=x + shift, model=f"<i>shifted by {shift}"
        )
        for shift in (0.0, 0.5, 1.0)
    )
    board = hf.leaderboard([_run(predictions) for predictions in (p, q, r)], metric="rmse")
    return {
        "Comparison": hf.compare_many([p, q, r], metric="rmse"),
        "Dataset": data,
        "Estimate": hf.evaluate(p, "rmse"),
        "Leaderboard": board,
        "Predictions": p,
        "Run": _run(p),
        "Verdict": hf.compare(p, q, metric="rmse"),
    }


def _run(predictions: hf.Predictions) -> hf.Run:
    from holdfast.core.run import RunRecord, Status

    name = predictions.header.model
    return hf.Run(RunRecord(name, "t", None, "", Status.FINISHED, "2026-01-01"), predictions)


def test_every_value_that_is_registered_is_drawn(values):
    drawers = {}
    formatter = SimpleNamespace(
        for_type_by_name=lambda module, name, draw: drawers.setdefault((module, name), draw)
    )
    hf.load_ipython_extension(
        SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": formatter}))
    )
    assert {name for _, name in drawers} == set(values)
    for name, value in values.items():
        drawn = drawers[type(value).__module__, name](value)
        assert drawn.startswith('<div class="holdfast">')
        assert "<i>" not in drawn and "<b>" not in drawn


def test_a_real_shell_draws_them():
    pytest.importorskip("IPython")
    subprocess.run([sys.executable, "-c", CELLS], check=True)


def test_elsewhere_nothing_is_registered():
    code = "import sys, holdfast; assert 'IPython' not in sys.modules; assert 'jinja2' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
