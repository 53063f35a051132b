"""The ledger: the spend follows the example ids, and keeps the error rate that it promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from holdfast.comparison.ledger import Ledger
from holdfast.errors import InputError, RoleError

ids = st.frozensets(st.integers(0, 8).map(str), min_size=1)


def charged(ledger: Ledger, examples, times: int = 1) -> Ledger:
    for _ in range(times):
        ledger = ledger.charge(examples)
    return ledger


@given(st.lists(ids, max_size=6), ids)
def test_every_answer_that_shares_an_id_counts(charges, asked):
    ledger = Ledger(budget=10)
    for examples in charges:
        ledger = charged(ledger, examples)
    assert ledger.spent(asked) == sum(1 for examples in charges if examples & asked)
    assert ledger.remaining(asked) == 10 - ledger.spent(asked)


def test_a_ledger_is_a_value():
    before = Ledger()
    after = charged(before, ["a"])
    assert (before.spent(["a"]), after.spent(["a"])) == (0, 1)
    assert (before.budget, before.level) == (20, 0.0025)


def test_the_budget_ends_and_fresh_rows_answer_afresh():
    ledger = charged(Ledger(budget=3), ["a", "b"], times=3)
    with pytest.raises(RoleError, match="have given all 3 answers"):
        charged(ledger, ["b", "c"])
    assert ledger.remaining(["c", "d"]) == 3
    assert charged(ledger, ["c", "d"]).remaining(["c"]) == 2


def test_no_rows_cannot_answer():
    with pytest.raises(RoleError, match="no sealed rows"):
        charged(Ledger(), [])


@pytest.mark.parametrize("bad", [{"budget": 0}, {"alpha": 0.0}, {"alpha": 1.0}])
def test_bad_budgets(bad):
    with pytest.raises(InputError, match="budget of at least 1"):
        Ledger(**bad)


def test_a_worse_model_is_seldom_released_however_hard_one_searches():
    rng, released, trials = np.random.default_rng(0), 0, 300
    for _ in range(trials):
        ledger, rows = Ledger(budget=20), [str(k) for k in range(400)]
        common = rng.normal(size=400)
        while ledger.remaining(rows):
            ledger = charged(ledger, rows)
            # Truly worse by a hair, so releasing any of them is an error.
            gain = -1e-9 + 0.5 * common * rng.choice([-1, 1]) + rng.normal(size=400)
            t = gain.mean() / gain.std(ddof=1) * 20
            if stats.t.sf(t, 399) <= ledger.level:
                released += 1
                break
    assert released / trials <= ledger.alpha + 2 * np.sqrt(0.05 * 0.95 / trials)
