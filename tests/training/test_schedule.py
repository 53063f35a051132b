"""Ctrl-C keeps what is done and says so, wherever it falls: in a wait, in a save, between two trials."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from ctrl_c import press, usual  # noqa: F401 - a fixture for every test

from holdfast.core.events import Said, Skipped
from holdfast.core.learner import Curve
from holdfast.core.plan import Plan
from holdfast.core.space import Range, Trial
from holdfast.core.task import Task
from holdfast.core.work import Done
from holdfast.training.fold import FoldFit, fold_key
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
    told = [Skipped(", ".join(given_up), "interrupted")] if finished and given_up else []
    assert [one for one in heard if isinstance(one, Skipped)] == told


def test_without_ctrl_c_nothing_is_said_of_it():
    fitted = fit_all(
        [candidate("a")], job(lambda: None), AtOnce(), deadline=None, on_event=lambda event: None
    )
    assert not fitted.interrupted and len(fitted.finished) == 1 and not fitted.given_up


def search(saved, *, judge=lambda finished: 1.0, known=()):
    return Search(
        spaces={"linear": {"strength": Range(0.1, 1.0)}},
        candidate=lambda learner, options, number: candidate(f"{learner}~{number}"),
        judge=judge,
        known=known,
        save=saved.append,
        seed=0,
    )


def test_a_search_brings_back_the_best_that_earlier_ones_finished():
    pytest.importorskip("optuna")
    losses = dict(enumerate([5.0, 1.0, *[4.0] * 9, 2.0, 3.0]))
    known = tuple(Trial("linear", {"strength": 0.5}, loss) for loss in losses.values())
    lost = fold_key(candidate("linear~11").plan, "d", "r", 1)  # one of its folds was not kept
    fit, heard = FoldFit({}, np.zeros((1, 1)), Curve(), 1.0, 1.0), []
    kept = Cache(load=lambda key: None if key == lost else fit, save=lambda key, fit: None)
    found = tune(
        search([], judge=lambda one: losses[int(one.candidate.name.partition("~")[2])], known=known),
        replace(job(lambda: None), cache=kept),
        AtOnce(lambda: pytest.fail("nothing is fitted again")),
        deadline=time.monotonic(),
        on_event=heard.append,
    )
    assert [one.candidate.name for one in found[:3]] == ["linear~1", "linear~12", "linear~2"]
    assert len(found) == 8 and heard == [Said("the best 8 of 13 earlier trials count again")]


def test_a_trial_that_is_not_finished_takes_no_number():
    pytest.importorskip("optuna")
    asked, calls = [], iter([Done("", None, error="a fault of the learner")])
    engine = AtOnce()
    engine.wait = lambda timeout: replace(next(calls), key=engine.keys.pop(0)) if engine.keys else None
    looked = replace(
        search([]), candidate=lambda learner, options, number: asked.append(number) or candidate("x")
    )
    with pytest.raises(StopIteration):  # at the second trial
        tune(looked, job(lambda: None), engine, deadline=time.monotonic() + 60, on_event=lambda event: None)
    assert asked == [0, 0]


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
