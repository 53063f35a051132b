"""The MLP as a learner: it learns, it is exact when served, it repeats itself, it survives odd tables."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dense_cases import fitted, halves, log_loss, matrix, mixed, outputs, setting, signal, target

from holdfast.core.learner import Curve
from holdfast.errors import PlanError
from holdfast.models.tabular.linear import LINEAR
from holdfast.models.tabular.mlp import MLP
from holdfast.models.tabular.objectives import objective_of


@pytest.mark.parametrize("encoding", ["pieces", "waves"])
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_learns_what_a_line_cannot(classes, encoding):
    train, held = halves(2400, classes)
    asked = setting(classes)
    ours = fitted(MLP, train, held, asked, {"encoding": encoding})
    theirs = fitted(LINEAR, train, held, asked)
    if classes == 1:
        error, line = (
            float(np.sqrt(np.mean((outputs(one, held.X, 1)[:, 0] - held.y) ** 2))) for one in (ours, theirs)
        )
    else:
        error, line = (log_loss(outputs(one, held.X, classes), held.y) for one in (ours, theirs))
    assert error < 0.8 * line


@pytest.mark.parametrize("classes", [1, 2, 5])
def test_the_served_graph_has_the_loss_of_the_curve(classes):
    train, held = halves(800, classes)
    weights = fitted(MLP, train, held, setting(classes), {"epochs": 6})
    served = outputs(weights, held.X, classes)
    best = weights.curve.loss[weights.curve.best - 1]
    assert best == min(weights.curve.loss)
    mean = np.mean((served[:, 0] - held.y) ** 2) if classes == 1 else log_loss(served, held.y)
    assert mean == pytest.approx(best, rel=1e-4)


def test_same_seed_same_bytes():
    train, held = halves(400, 2)
    once, again, other = (fitted(MLP, train, held, setting(2, seed=s), {"epochs": 3}) for s in (1, 1, 2))
    assert once.graph == again.graph
    assert once.native == again.native
    assert once.graph != other.graph


def test_native_is_safetensors():
    train, held = halves(400, 3)
    weights = fitted(MLP, train, held, setting(3), {"epochs": 2, "width": 16})
    data = weights.native["weights.safetensors"]
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    assert size % 8 == 0
    part = header["weight2"]
    start, end = part["data_offsets"]
    assert part["shape"] == [16, 16]
    values = np.frombuffer(data[8 + size + start : 8 + size + end], "<f4")
    assert np.isfinite(values).all()
    assert len(values) == 256
    assert max(one["data_offsets"][1] for one in header.values()) == len(data) - 8 - size


def test_rows_of_no_weight_teach_nothing():
    train, held = halves(2000, 2)
    flipped = np.arange(len(train.y)) % 2 == 0
    y = np.where(flipped, 1 - train.y, train.y)
    weights = fitted(MLP, matrix(train.X, y, np.where(flipped, 0.0, 2.0)), held, setting(2))
    untold = fitted(MLP, matrix(train.X, y), held, setting(2))
    assert log_loss(outputs(weights, held.X, 2), held.y) < 0.5 < log_loss(outputs(untold, held.X, 2), held.y)


def test_noise_gives_the_shares():
    train, held = halves(2000, 2)
    y = np.random.default_rng(5).permutation(train.y)
    held_y = np.random.default_rng(6).permutation(held.y)
    weights = fitted(MLP, matrix(train.X, y), matrix(held.X, held_y), setting(2))
    assert log_loss(outputs(weights, held.X, 2), held_y) == pytest.approx(np.log(2), abs=0.02)


def test_quantile_loss_leaves_its_share_below():
    train, held = halves(4000, 1)
    for q in (0.1, 0.8):
        predicted = outputs(fitted(MLP, train, held, setting(1, f"quantile:{q}")), held.X, 1)[:, 0]
        assert np.mean(held.y < predicted) == pytest.approx(q, abs=0.06)


@pytest.mark.parametrize("loss", ["absolute", "huber", "poisson"])
def test_losses_of_numbers(loss):
    train, held = halves(2000, 1)
    asked = setting(1, loss)
    weights = fitted(MLP, train, held, asked)
    served = outputs(weights, held.X, 1)[:, 0]
    objective = objective_of(train, asked)
    assert np.mean(np.abs(served - held.y)) < 0.75 * np.mean(np.abs(np.median(held.y) - held.y))
    assert objective.low - 1e-3 <= served.min()
    assert served.max() <= objective.high + 1e-3


@pytest.mark.parametrize("loss", ["balanced", "focal"])
def test_losses_of_classes(loss):
    X = mixed(3000)
    y = (signal(X) > np.quantile(signal(X), 0.93)).astype(np.int64)
    train, held = matrix(X[:2000], y[:2000]), matrix(X[2000:], y[2000:])
    plain, other = (
        outputs(fitted(MLP, train, held, setting(2, one)), held.X, 2) for one in ("log_loss", loss)
    )
    assert other.sum(axis=1) == pytest.approx(1)
    # Both losses give the rare class more than its share.
    assert other[:, 1].mean() > plain[:, 1].mean()


def test_a_class_that_training_lacks():
    train, held = halves(600, 3)
    some = train.y != 1
    weights = fitted(MLP, matrix(train.X[some], train.y[some]), held, setting(3))
    assert outputs(weights, held.X, 3)[:, 1].max() < 0.1


def test_a_spent_budget_still_gives_a_model():
    train, held = halves(600, 2)
    weights = fitted(MLP, train, held, setting(2, budget=0.0))
    assert len(weights.curve.loss) == 1
    assert outputs(weights, held.X, 2).shape == (300, 2)


ODD = {
    "one number": np.random.default_rng(0).normal(size=(60, 1)),
    "flags only": np.random.default_rng(0).integers(0, 2, (60, 3)),
    "constant": np.ones((60, 2)),
    "empty": np.full((60, 2), np.nan),
    "enormous": np.random.default_rng(0).normal(size=(60, 2)) * 1e37,
    "tiny": np.random.default_rng(0).normal(size=(60, 2)) * 1e-38,
    "few rows": np.random.default_rng(0).normal(size=(5, 2)),
    "wide": np.random.default_rng(0).normal(size=(60, 600)),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("classes", [1, 2, 3])
def test_odd_tables(name, classes):
    X = ODD[name].astype(np.float32)
    y = np.arange(len(X)) % classes if classes > 1 else np.arange(len(X), dtype=np.float64)
    rows = matrix(X, y)
    weights = fitted(MLP, rows, rows, setting(classes), {"epochs": 4})
    strange = np.concatenate([X, np.full_like(X[:1], np.nan), np.full_like(X[:1], 3e38)])
    assert np.isfinite(outputs(weights, strange, classes)).all()


def test_an_unknown_encoding_is_refused():
    train, held = halves(100, 2)
    with pytest.raises(PlanError, match=r"'piece'.*'pieces'"):
        fitted(MLP, train, held, setting(2), {"encoding": "piece"})


def test_curve_is_of_validation_rows_and_stops_early():
    X = mixed(600)
    y = np.random.default_rng(1).integers(0, 2, 600)
    weights = fitted(MLP, matrix(X[:300], y[:300]), matrix(X[300:], y[300:]), setting(2), {"epochs": 60})
    assert isinstance(weights.curve, Curve)
    assert len(weights.curve.loss) < 60
    assert weights.curve.steps == tuple(range(1, len(weights.curve.loss) + 1))


def test_targets_of_any_scale():
    X = mixed(800)
    y = target(X, 1)
    for scale in (1e-6, 1e9):
        train, held = matrix(X[:500], y[:500] * scale), matrix(X[500:], y[500:] * scale)
        error = outputs(fitted(MLP, train, held, setting(1)), held.X, 1)[:, 0] - held.y
        assert np.std(error) < 0.75 * np.std(held.y)
