"""Ctrl-C keeps what is done and says so, wherever it falls: in a wait, in a save, between two trials."""

from __future__ import annotations

import time

import numpy as np
import pytest
from ctrl_c import press, usual  # noqa: F401 - a fixture for every test

from holdfast.core.events import Said, Skipped
from holdfast.core.learner import Curve
from holdfast.core.plan import Plan
from holdfast.core.space import Range
from holdfast.core.task import Task
from holdfast.core.work import Done
from holdfast.training.schedule import INTERRUPTED, Cache, Candidate, Job, fit_all
from holdfast.training.tune import Search, tune

FOLDS = 2


class AtOnce:
    """An engine whose work is done as soon as somebody waits for it."""

    workers = 1

    def __init__(self, on_wait=lambda: None):
        self.keys, self.on_wait = [], on_wait

    def submit(self, work):
        self.keys.append(work.key)

    def cancel(self, key):
        self.keys.remove(key)

    def wait(self, timeout):
        if not self.keys or timeout == 0:
            return None
        self.on_wait()
        return Done(self.keys.pop(0), ({}, np.zeros((1, 1)), Curve()), seconds=0.001)


def job(save):
    return Job(
        dataset=None,
        dataset_id="d",
        roles="r",
        fold=np.arange(FOLDS),
        folds=FOLDS,
        classes=(),
        score=lambda output, k: 0.5,
        cache=Cache(load=lambda key: None, save=lambda key, fit: save()),
        finished=lambda one: None,
    )


def candidate(name):
    return Candidate(Plan(Task.REGRESSION, name, "rmse", "squared", FOLDS, 0), None)


def nth(n, act):
    """What acts when it is called the n-th time."""
    calls = iter(range(1, 1000))
    return lambda *_: act() if next(calls) == n else None


@pytest.mark.parametrize(
    ("saved", "finished", "given_up"),
    [(1, [], ["a", "b"]), (2, ["a"], ["b"]), (3, ["a"], ["b"]), (4, ["a", "b"], [])],
)
def test_ctrl_c_in_a_save_is_told_of_whether_or_not_it_cost_anything(saved, finished, given_up):
    heard = []
    fitted = fit_all(
        [candidate("a"), candidate("b")],
        job(nth(saved, press)),
        AtOnce(),
        deadline=None,
        on_event=heard.append,
    )
    assert fitted.interrupted
    assert [one.candidate.name for one in fitted.finished] == finished
    assert sorted(fitted.given_up) == given_up
    assert [one for one in heard if isinstance(one, Skipped)] == [
        Skipped(name, "interrupted") for name in given_up
    ]


def test_without_ctrl_c_nothing_is_said_of_it():
    fitted = fit_all(
        [candidate("a")], job(lambda: None), AtOnce(), deadline=None, on_event=lambda event: None
    )
    assert not fitted.interrupted and len(fitted.finished) == 1 and not fitted.given_up


def search(saved, *, judge=lambda finished: 1.0):
    return Search(
        spaces={"linear": {"strength": Range(0.1, 1.0)}},
        candidate=lambda learner, options, number: candidate(f"{learner}~{number}"),
        judge=judge,
        known=(),
        save=saved.append,
        seed=0,
    )


@pytest.mark.parametrize("where", ["wait", "the last save of a trial", "between two trials"])
def test_a_search_ends_at_ctrl_c_and_keeps_its_trials(where):
    pytest.importorskip("optuna")
    heard, kept = [], []
    saves = nth(4, press) if where == "the last save of a trial" else lambda: None
    waits = nth(5, press) if where == "wait" else lambda: None
    judge = nth(2, press) if where == "between two trials" else lambda finished: None
    found = tune(
        search(kept, judge=lambda finished: judge(finished) or 1.0),
        job(saves),
        AtOnce(waits),
        deadline=time.monotonic() + 60,
        on_event=heard.append,
    )
    assert len(found) == len(kept) == 2
    assert heard[-1] == INTERRUPTED == Said("interrupted: what was done by then is kept")
