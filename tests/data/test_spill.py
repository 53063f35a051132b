"""Files larger than memory are mapped, and read as all others are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from holdfast.data import delimited, spill
from holdfast.data.read import read


@pytest.fixture
def table() -> pl.DataFrame:
    rng = np.random.default_rng(0)
    return pl.DataFrame(
        {
            "number": rng.normal(size=500).round(3),
            "town": rng.choice(["Bern", "bern ", "Genf", ""], 500),
            "price": [f"${x:,.2f}" for x in rng.gamma(2, 900, 500)],
            "y": rng.choice(["yes", "no"], 500),
        }
    )


@pytest.mark.parametrize("ending", ["csv", "parquet", "jsonl"])
def test_a_table_that_does_not_fit_is_mapped_and_read_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: pl.DataFrame, ending: str
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(spill.tempfile, "tempdir", None)
    file = tmp_path / f"table.{ending}"
    {"csv": table.write_csv, "parquet": table.write_parquet, "jsonl": table.write_ndjson}[ending](file)
    loaded = read(str(file), target="y")
    written: list[Path] = []
    mapped_by = spill._mapped
    monkeypatch.setattr(
        spill, "_mapped", lambda write: mapped_by(lambda path: (written.append(path), write(path)))
    )
    monkeypatch.setattr(spill, "_free_memory", lambda: 0)
    monkeypatch.setattr(spill, "_LEAST", 0)
    monkeypatch.setattr(delimited, "_SAMPLED", 0)  # so that words are coded before they are written
    mapped = read(str(file), target="y")
    assert len(written) > 1  # the raw table, and the columns that cleaning changed
    assert mapped.id == loaded.id
    assert mapped.checks == loaded.checks
    assert mapped.table.equals(loaded.table, null_equal=True)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]  # nothing is left on disk


def test_free_memory_is_known() -> None:
    assert spill._free_memory() > 1 << 20
