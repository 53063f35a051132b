"""Guards that ask the model: what other cells change, how long a row takes, how large it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl
import pytest

from holdfast.core.dataset import Dataset
from holdfast.core.guard import Guard, GuardKind, GuardStatus
from holdfast.core.predictions import Predictions
from holdfast.core.schema import Schema
from holdfast.errors import ColumnError, InputError, PredictionsError
from holdfast.promotion.guards import check
from holdfast.promotion.subject import Subject

PASSED, FAILED, UNDECIDED, NOT_RUN = GuardStatus
SWAP = Guard("fair", GuardKind.INVARIANCE, column="gender", at_most=0.02)
FALL = Guard("loyal", GuardKind.DIRECTION, column="tenure", direction="never raises")


def asking(subject: Subject, of) -> Subject:
    return replace(subject, model=replace(subject.model, of=of))


def test_size_and_latency_are_plain_facts(subject: Subject) -> None:
    for kind, least, number in ((GuardKind.SIZE, 2.5, "2.500 MB"), (GuardKind.LATENCY, 0.8, "0.8000 ms")):
        held, broken = Guard("g", kind, at_most=least), Guard("g", kind, at_most=least - 0.01)
        assert check(held, subject).status is PASSED
        assert check(broken, subject).status is FAILED
        assert number in check(held, subject).said
        assert check(broken, subject).said.endswith(
            f"to be at most {least - 0.01:g} {number[-2:]}: too much."
        )
        assert "at most 1,000,000 " in check(replace(held, at_most=1e6), subject).said


def test_a_swap_that_moves_predictions_little(subject: Subject) -> None:
    checked = check(SWAP, subject)
    assert checked.status is PASSED
    assert checked.estimate.value == pytest.approx(0.01, abs=1e-6)
    assert checked.said == (
        "another gender (2 values tried) moves a row's probabilities by up to 0.01000, where 0.02 is "
        "allowed; 2,000 rows."
    )
    unmoved = check(replace(SWAP, column="charges"), subject)
    assert (
        unmoved.said == "another charges (5 drawn values tried) moves no row's probabilities, of 2,000 rows."
    )


def test_a_probability_cannot_move_further_than_one(subject: Subject) -> None:
    with pytest.raises(InputError, match=r"The guard 'fair' .*: at_most = 2, .* at_most = 0\.02$"):
        check(replace(SWAP, at_most=2.0), subject)


def test_a_swap_that_moves_some_predictions_much_names_the_furthest(subject: Subject) -> None:
    def unfair(t: pl.DataFrame) -> np.ndarray:
        """Gender matters to those of tenure 7 alone, and most to those who signed last."""
        late = t["signed"].rank("ordinal").to_numpy() / len(t)
        return 0.2 + 0.5 * late * ((t["gender"] == "f") & (t["tenure"] == 7)).to_numpy()

    checked = check(SWAP, asking(subject, unfair))
    table = subject.dataset.table
    sevens = np.flatnonzero((table["tenure"] == 7).to_numpy())
    last = subject.dataset.example[int(sevens[table["signed"].to_numpy()[sevens].argmax()])]
    assert checked.status is FAILED
    moved = (
        len(sevens) - (table["signed"].rank("ordinal").to_numpy()[sevens] / len(table) * 0.5 <= 0.02).sum()
    )
    assert f"where 0.02 is allowed: {moved} of 2,000 rows beyond that, furthest '{last}'" in checked.said
    elsewhere = check(replace(SWAP, where="tenure != 7"), asking(subject, unfair))
    assert (elsewhere.status, elsewhere.estimate.value) == (PASSED, 0.0)


def test_numbers_with_many_values_are_drawn(subject: Subject) -> None:
    guard = replace(SWAP, column="charges", at_most=0.3)
    steep = asking(subject, lambda t: np.where(t["charges"].fill_null(60).to_numpy() > 90, 0.9, 0.5))
    assert check(guard, steep).status is FAILED
    assert "(5 drawn values tried)" in check(guard, steep).said
    assert check(replace(guard, at_most=0.41), steep).status is PASSED
    assert check(guard, steep) == check(guard, steep)


def test_more_tenure_never_raises(subject: Subject) -> None:
    assert check(FALL, subject).status is PASSED
    rises = check(replace(FALL, direction="never lowers"), subject)
    assert rises.status is FAILED
    assert "raises a row" not in rises.said
    assert "lowers a row's probability of 'yes' by up to 0.5900, where none is allowed" in rises.said
    assert ": 2,000 of 2,000 rows beyond that" in rises.said


def test_a_bump_in_the_middle_is_found(subject: Subject) -> None:
    def bump(t: pl.DataFrame) -> np.ndarray:
        tenure = t["tenure"].to_numpy()
        raised = (np.abs(tenure - 30) < 4) & (t["contract"] == "yearly").to_numpy()
        return 0.8 - 0.01 * tenure + 0.2 * raised

    checked = check(FALL, asking(subject, bump))
    yearly = int((subject.dataset.table["contract"] == "yearly").sum())
    assert checked.status is FAILED
    assert f"{yearly:,} of 2,000 rows beyond that" in checked.said
    assert check(replace(FALL, where="contract = 'monthly'"), asking(subject, bump)).status is PASSED


def test_the_rounding_of_float32_is_no_direction(subject: Subject) -> None:
    noisy = asking(subject, lambda t: 0.5 + 1e-7 * np.sin(t["tenure"].to_numpy()))
    assert check(FALL, noisy).status is PASSED


def test_dates_have_a_direction_and_categories_have_none(subject: Subject) -> None:
    later = asking(subject, lambda t: (t["signed"].dt.epoch("d").to_numpy() - 18_000) / 1_500)
    guard = replace(FALL, column="signed", direction="never lowers")
    assert check(guard, later).status is PASSED
    assert check(replace(guard, direction="never raises"), later).status is FAILED
    with pytest.raises(ColumnError, match=r"The guard 'loyal' .* 'contract' holds no .*column = \"tenure\"$"):
        check(replace(FALL, column="contract"), subject)


def test_no_rows_or_one_value_decide_nothing(subject: Subject) -> None:
    assert check(replace(SWAP, where="tenure > 99"), subject).status is UNDECIDED
    assert check(replace(FALL, where="tenure > 99"), subject).status is UNDECIDED
    same = subject.dataset.table.with_columns(gender=pl.lit("f"))
    checked = check(SWAP, replace(subject, dataset=replace(subject.dataset, table=same)))
    assert checked.status is NOT_RUN
    assert check(SWAP, replace(subject, dataset=None)).status is NOT_RUN
    empty = subject.dataset.table.with_columns(tenure=pl.lit(None, dtype=pl.Float64))
    assert check(FALL, replace(subject, dataset=replace(subject.dataset, table=empty))).status is NOT_RUN


def test_a_column_that_is_not_there_or_the_target(subject: Subject) -> None:
    with pytest.raises(ColumnError, match="Did you mean 'gender'"):
        check(replace(SWAP, column="gnder"), subject)
    with pytest.raises(ColumnError, match="is the target"):
        check(replace(SWAP, column="churn"), subject)


@dataclass(frozen=True)
class Other:
    """A model of another task: three classes, labels alone, or a number that may be none."""

    answer: str
    id: str = "other"
    files: tuple = ()

    def predict(self, dataset: Dataset) -> Predictions:
        female = (dataset.table["gender"] == "f").to_numpy()
        if self.answer == "number":
            return Predictions.of(example=dataset.example, prediction=np.where(female, 10.0, 10.5))
        if self.answer == "none":
            return Predictions.of(example=dataset.example, prediction=np.where(female, 10.0, np.nan))
        if self.answer == "labels":
            said = np.where(female, "yes", "no")
            return Predictions.of(example=dataset.example, prediction=said, classes=["no", "yes"])
        chance = np.where(female[:, None], [[0.2, 0.3, 0.5]], [[0.2, 0.35, 0.45]])
        return Predictions.of(example=dataset.example, probability=chance, classes=["a", "b", "c"])


@pytest.mark.parametrize(("answer", "moved"), [("number", 0.5), ("labels", 1.0), ("three", 0.05)])
def test_predictions_of_every_kind_move(answer: str, moved: float, subject: Subject) -> None:
    checked = check(SWAP, replace(subject, model=Other(answer)))
    assert checked.status is FAILED
    assert checked.estimate.value == pytest.approx(moved, abs=1e-6)
    enough = replace(SWAP, at_most=moved + 1e-6 if moved < 1 else 1.0)
    assert check(enough, replace(subject, model=Other(answer))).status is PASSED
    what = {"number": "predicted churn", "labels": "predicted class", "three": "probabilities"}[answer]
    assert f"a row's {what} by up to" in checked.said


def test_a_prediction_that_is_no_number_has_moved(subject: Subject) -> None:
    silent = replace(subject, model=Other("none"))
    assert check(replace(SWAP, at_most=1e9), silent).status is FAILED
    for where in ("gender = 'f'", "gender = 'm'", ""):
        wanted = PASSED if where == "gender = 'f'" else FAILED
        assert check(replace(FALL, where=where), silent).status is wanted


def test_a_direction_needs_one_class_of_interest(subject: Subject) -> None:
    with pytest.raises(PredictionsError, match="there are 3 classes"):
        check(FALL, replace(subject, model=Other("three")))
    assert check(FALL, replace(subject, model=Other("number"))).status is PASSED


def test_columns_keep_their_types(subject: Subject) -> None:
    """Each probed table has the very columns of the one that was given."""
    seen: list[pl.Schema] = []

    def watch(t: pl.DataFrame) -> np.ndarray:
        seen.append(t.schema)
        return np.full(len(t), 0.5)

    for column in ("gender", "charges", "signed"):
        check(replace(SWAP, column=column), asking(subject, watch))
    assert isinstance(subject.dataset.schema, Schema)
    assert all(schema == subject.dataset.table.schema for schema in seen)
    assert len(seen) == 3 + 2 + 5 + 5
