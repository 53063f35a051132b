"""Ids and hashes: the same for ever, whatever the order of rows, columns or the cells' types."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.data import hashing
from holdfast.data.hashing import hash_cells, hash_of, hash_rows, row_sums
from holdfast.data.identity import content_hash, identify
from holdfast.errors import ColumnError

TEXT = st.one_of(
    st.none(), st.text(max_size=30), st.sampled_from(["a", "A", "a ", "1", "1.0", "é", "yes", "x" * 16])
)
NUMBER = st.one_of(st.none(), st.floats(allow_infinity=False), st.integers(-5, 5).map(float))
TABLES = st.lists(st.tuples(TEXT, NUMBER, st.sampled_from(["u", "v"])), min_size=1, max_size=30)


def table_of(rows: list[tuple[str | None, float | None, str]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema={"text": pl.String, "number": pl.Float64, "y": pl.String}, orient="row")


# If one of these fails, ids of every table ever read have changed: make a new format instead.
KNOWN = [
    (pl.Series([1.0]), "58580ee44b66f40ca73cfcd55d9c8805"),
    (pl.Series([-2.5]), "5e862806604edd80bad83531c8c60aed"),
    (pl.Series(["yes"]), "fbf6e276d880f57d5bb49e6af62d7464"),
    (pl.Series(["twelve bytes or more, é and 漢字"]), "59ab3f6692df34abae04301c9271a5f0"),
    (pl.Series([None]), "d37c6f100eed6cc43d0b426cc64f9dc4"),
    (pl.Series([True]), "9b9d33f15566328f56312a0d6ae96bed"),
    (pl.Series([datetime(2024, 2, 29, 12, 30)]), "3c415f195e56c1111ee76fbee7e68321"),
    (pl.Series([2**62 + 1]), "bfa23af0e0c206975e1e571de234d813"),
    (pl.Series(["inf"]), "a86e700dc58744b9fa7e37d157d6fafc"),
    (pl.Series([float("inf")]), "fdbbad6ad8b1981ff6cde6d8b19dcd05"),
]


@pytest.mark.parametrize(("cells", "known"), KNOWN, ids=lambda value: str(getattr(value, "to_list", str)()))
def test_known_answers(cells: pl.Series, known: str) -> None:
    lanes = hash_rows(pl.DataFrame({"column": cells}))
    assert f"{lanes[0, 0]:016x}{lanes[0, 1]:016x}" == known


def test_known_content() -> None:
    table = pl.DataFrame({"age": [41, 7, None], "plan": ["Basic", None, "Pro"]})
    identity = identify(table)
    assert identity.example.to_list() == [
        "h19bf5132077aaef6bb648d25ef7d75d5c",
        "h10c557be1b127501ba0758f4737a9aa90",
        "h185668a7257148829ecb54346e09aa82b",
    ]
    assert content_hash(table, identity.example) == "70aff5544b5c93737ee2eb1aa71ceaa0"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1], [1.0]),
        ([1], ["1"]),
        ([1.5], ["1.50"]),
        ([0.0], [-0.0]),
        ([1000.0], ["1e3"]),
        ([float("nan")], [None]),
        ([""], [None]),
        ([2**62 + 1], [str(2**62 + 1)]),
        ([True], ["true"]),
        ([date(2024, 1, 2)], [datetime(2024, 1, 2)]),
    ],
)
def test_equal_cells(one: list[object], other: list[object]) -> None:
    assert (hash_cells(pl.Series(one)) == hash_cells(pl.Series(other))).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["a"], ["A"]),
        (["a"], ["a "]),
        (["a"], ["a\0"]),
        (["12345678x"], ["x12345678"]),
        (["abcdefgh12345678"], ["12345678abcdefgh"]),
        ([2**62], [2**62 + 1]),
        ([1], [2]),
        (["nan"], [None]),
        (["inf"], [float("inf")]),
        (["1_000"], [1000]),
        ([" 1"], [1]),
        (["0x10"], [16]),
        ([datetime(1970, 1, 1)], [0]),
    ],
)
def test_different_cells(one: list[object], other: list[object]) -> None:
    assert (hash_cells(pl.Series(one)) != hash_cells(pl.Series(other))).all()


def test_columns_count_by_name_and_not_by_order() -> None:
    table = pl.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert (hash_rows(table) == hash_rows(table.select("b", "a"))).all()
    assert (hash_rows(table) != hash_rows(table.rename({"a": "b", "b": "a"}))).all()
    assert (hash_rows(table) != hash_rows(table.with_columns(c=pl.lit(None)))).all()


def test_long_columns_and_long_cells_hash_like_single_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    many = pl.DataFrame(
        {
            "few": pl.Series(["a", "b", "1.0", None, "a longer category"]).gather(rng.integers(0, 5, 70_000)),
            "many": pl.Series(rng.integers(0, 10**9, 70_000)).cast(pl.String) + "x",
            "number": rng.normal(size=70_000),
        }
    )
    whole = hash_rows(many)
    some = np.array([0, 1, 65_535, 65_536, 69_999])
    assert (whole[some] == np.concatenate([hash_rows(many[int(row)]) for row in some])).all()
    long = pl.DataFrame({"text": ["ab" * 3_000, "c", None, "é" * 5_000]})
    expected = hash_rows(long)
    monkeypatch.setattr(hashing, "_BYTES", 100)
    assert (hash_rows(long) == expected).all()


def text_by_hand(text: str) -> list[int]:
    """A text's two lanes, its bytes taken one word at a time: the format "rows.v1" in plain Python."""
    data, lanes, whole = text.encode(), [], (1 << 64) - 1
    for step, seed in zip(hashing._STEP.tolist(), hashing._SEED.tolist(), strict=True):
        total = len(data) * step
        for place in range(-(-len(data) // 8)):
            word = int.from_bytes(data[8 * place : 8 * place + 8], "little") ^ (place * step + seed & whole)
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
                word = (word ^ word >> shift) * factor & whole
            total += word ^ word >> 31
        lanes.append(total & whole)
    return lanes


@given(st.lists(st.integers(1, 140), min_size=1, max_size=20), st.sampled_from("aé漢"))
@settings(max_examples=60, deadline=None)
def test_texts_of_any_length_hash_as_by_hand(sizes: list[int], letter: str) -> None:
    texts = [letter * (size // 3) + "xyz"[: size % 3] or "x" for size in sizes]
    assert hashing._words(pl.Series(texts)).T.tolist() == [text_by_hand(text) for text in texts]


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_hashing_tables_together_changes_nothing(rows: list[tuple[str | None, float | None, str]]) -> None:
    raw = table_of(rows)
    typed = raw.with_columns(pl.col("text").str.strip_chars(), pl.col("y").str.to_uppercase())
    sums = row_sums([raw, raw.select("number"), typed])
    for table, own in zip([raw, raw.select("number"), typed], sums, strict=True):
        assert (hash_of(own) == hash_rows(table)).all()


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_the_content_names_cells_and_ids_in_any_order_of_rows(
    rows: list[tuple[str | None, float | None, str]],
) -> None:
    def content(raw: pl.DataFrame) -> str:
        return identify(raw.select("text", "number"), rest=raw.select("y")).content

    raw = table_of(rows)
    assert content(raw.reverse()) == content(raw)
    assert content(raw.with_columns(pl.col("y") + "?")) != content(raw)
    assert content(raw.with_columns(pl.col("text").fill_null("") + "!")) != content(raw)


def test_no_two_of_a_million_cells_collide() -> None:
    numbers = pl.Series(np.arange(500_000))
    texts = numbers.cast(pl.String) + "k"
    assert len(np.unique(hash_cells(pl.concat([numbers.cast(pl.String), texts])))) == 1_000_000


def test_bits_are_even() -> None:
    """Each of the 128 bits is set in half of the rows: within five standard errors."""
    lanes = hash_rows(pl.DataFrame({"x": np.arange(40_000), "y": np.arange(40_000) % 7}))
    bits = np.unpackbits(lanes.view(np.uint8), axis=1).mean(axis=0)
    assert np.abs(bits - 0.5).max() < 5 * 0.5 / np.sqrt(40_000)


@pytest.mark.parametrize("cells", [pl.Series([[1, 2]]), pl.Series([{"a": 1}]), pl.Series([b"x"])])
def test_nested_cells_are_refused(cells: pl.Series) -> None:
    with pytest.raises(ColumnError, match=r"'nested' holds .*--ignore 'nested'"):
        hash_rows(pl.DataFrame({"nested": cells}))


@given(TABLES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_shuffling_rows_changes_no_id(rows: list[tuple[str | None, float | None, str]], random) -> None:
    table = table_of(rows)
    order = list(range(len(rows)))
    random.shuffle(order)

    def named(table: pl.DataFrame) -> tuple[pl.DataFrame, str]:
        identity = identify(table.select("text", "number"), rest=table.select("y"))
        assert identity.example.n_unique() == table.height
        named = table.select("y", identity.example.alias("id"), pl.Series("twin", identity.twin))
        return named.sort("id"), content_hash(table, identity.example)

    (first, content), (second, same) = named(table), named(table[order])
    assert first.equals(second)
    assert content == same


@given(TABLES)
@settings(max_examples=60, deadline=None)
def test_twins_are_the_rows_with_equal_features(rows: list[tuple[str | None, float | None, str]]) -> None:
    twin = identify(table_of(rows).select("text", "number")).twin

    def canonical(cell: object) -> object:
        try:
            number = float(str(cell))
        except ValueError:
            return cell or None
        if isinstance(cell, str) and (not np.isfinite(number) or not cell.isascii() or "_" in cell):
            return cell
        if isinstance(cell, str) and (cell != cell.strip() or abs(number) > 2**53):
            return cell
        return None if np.isnan(number) else number

    seen = [(canonical(text), canonical(number)) for text, number, _ in rows]
    for i, j in zip(*np.triu_indices(len(rows), 1), strict=True):
        assert (twin[i] == twin[j]) == (seen[i] == seen[j])


def test_the_targets_cells_are_in_the_content_and_not_in_the_id() -> None:
    features = pl.DataFrame({"x": [1, 2]})
    ids = identify(features).example
    contents = {content_hash(features.with_columns(y=pl.Series(y)), ids) for y in (["a", "b"], ["b", "a"])}
    assert len(contents) == 2


def test_copies_are_numbered_and_ids_inherited() -> None:
    features = pl.DataFrame({"x": [1, 1, 1, 2]})
    ids = identify(features, rest=pl.DataFrame({"y": ["b", "a", "b", "a"]})).example
    base = identify(features[3:]).example[0]
    assert ids[3] == base
    stem = ids.sort()[0].split("#")[0] if ids.sort()[0] != base else ids.sort()[1]
    assert set(ids[:3]) == {stem, f"{stem}#2", f"{stem}#3"}


def test_an_id_column_names_the_rows() -> None:
    features = pl.DataFrame({"x": [1, 2, 3, 4, 5]})
    ids = identify(features, pl.Series(["a", "b", "a", None, "a#2"])).example.to_list()
    assert ids[1] == "b"
    assert ids[3] == identify(features[3:4]).example[0]
    assert len(set(ids)) == 5 and {"a", "a#2"} <= set(ids)
    assert identify(features, pl.Series([1.0, 2, 3, 4, 5])).example.to_list() == ["1", "2", "3", "4", "5"]


def test_an_empty_table_has_no_ids() -> None:
    identity = identify(pl.DataFrame({"x": pl.Series([], dtype=pl.Float64)}))
    assert len(identity.example) == len(identity.twin) == 0


def test_a_number_is_itself_whatever_else_its_column_holds() -> None:
    """One cell that is no number makes a column text: it must not give the other rows new ids."""
    numbers = ["1e20", "-2.5e18", "0.5", "9007199254740994"]
    alone, beside = (hash_rows(pl.DataFrame({"x": cells})) for cells in (numbers[:3], [*numbers[:3], "?"]))
    assert (alone == beside[:3]).all()
    assert (hash_rows(pl.DataFrame({"x": [1e20, -2.5e18, 0.5]})) == alone).all()
    digits = hash_rows(pl.DataFrame({"x": ["9007199254740993", "9007199254740992"]}))
    assert (digits[0] != digits[1]).all()  # one float64, and yet two names
