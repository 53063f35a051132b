"""Tables that several folders of tests train on, with learners that fit them in a moment."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import settings

# How long an example takes is the machine's affair, not the code's.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def patients():
    """569 patients: six numbers with gaps, a category in several spellings, a date, and the diagnosis."""
    from sklearn.datasets import load_breast_cancer

    real, rng = load_breast_cancer(), np.random.default_rng(0)
    n = len(real.data)
    names = [name.replace(" ", "_") for name in real.feature_names[:6]]
    gap = pl.Series(values=rng.random(n) < 0.1)
    return (
        pl.DataFrame(dict(zip(names, real.data[:, :6].T, strict=True)))
        .with_columns(
            clinic=pl.Series(rng.choice(["north", "South", "east "], n)),
            seen=pl.Series(np.datetime64("2020-01-01") + rng.integers(0, 900, n)).cast(pl.Date),
            diagnosis=pl.Series(real.target_names[real.target].astype(str)),
        )
        .with_columns(mean_area=pl.when(gap).then(None).otherwise(pl.col("mean_area")))
    )


@pytest.fixture(scope="session")
def patients_csv(patients, tmp_path_factory):
    file = tmp_path_factory.mktemp("tables") / "patients.csv"
    patients.write_csv(file)
    return file


@pytest.fixture(scope="session")
def progression():
    """442 patients with ten numbers, one made category, and the progression of their diabetes."""
    from sklearn.datasets import load_diabetes

    real, rng = load_diabetes(), np.random.default_rng(1)
    table = pl.DataFrame(dict(zip(real.feature_names, real.data.T, strict=True)))
    return table.with_columns(
        ward=pl.Series(rng.choice(["a", "b", "c"], len(table))), progression=pl.Series(real.target)
    )
