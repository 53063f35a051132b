"""A made-up table of customers whose faults are planted and known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

_WRONG = 0.04  # of the labels
_COPIED = 0.015  # of the rows come twice
_SEEN_AGAIN = 0.15  # of the rows are an earlier look at the same customer
_MISSPELT = 0.03  # of the cells of each misspelt column
_LAST_DAY = np.datetime64("2025-06-30")
_MONTH = 30.44  # days
_CENTRE = -1.5  # log odds of leaving, about which the slice's signal is mirrored
_STRENGTH = 1.7  # so that a good model reaches an AUC of about 0.82 without the leak
_INVERTED = (("region", "Coast"), ("plan", "Standard"))

_PLANS, _REGIONS = ("Basic", "Standard", "Premium"), ("North", "South", "East", "West", "Coast")
_CONTRACTS, _PAYMENTS = ("Monthly", "One year", "Two years"), ("Card", "Transfer", "Voucher", "Invoice")


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Where the faults of a simulated table are; rows are positions in it, int64 and sorted.

    `wrong` rows have the other label than the one that was drawn. In `inverted` rows,
    those of `inverted_slice`, what elsewhere makes a customer leave makes one stay. The
    column `leak` is filled in when a customer leaves. Each row of `copies` equals a row
    elsewhere in the table. `misspelt` are, by column, the rows whose category is not
    spelt as in most rows.
    """

    target: str
    wrong: np.ndarray
    inverted_slice: tuple[tuple[str, str], ...]
    inverted: np.ndarray
    leak: str
    copies: np.ndarray
    misspelt: tuple[tuple[str, np.ndarray], ...]


def churn(rows: int = 20_000, *, seed: int = 0) -> tuple[pl.DataFrame, Planted]:
    """Customers of a made-up company, whether they left ("churned"), and the planted faults.

    Numbers, categories, dates, missing cells and customers that come back; 4 % of the
    labels are wrong, one slice has its signal inverted, a column leaks the answer, 1.5 %
    of the rows are copies, and two columns are spelt inconsistently. Meant for 1,000 rows
    or more. The same arguments give the same table.

    >>> table, planted = churn(1_000)
    >>> table.height, planted.leak, len(planted.wrong)
    (1000, 'final_invoice', 40)
    """
    rng = np.random.default_rng(seed)
    made = rows - round(rows * _COPIED)
    customers = _customers(rng, made)
    inverted = customers.select(pl.all_horizontal(pl.col(c) == level for c, level in _INVERTED)).to_series()
    left = rng.random(made) < _chance_of_leaving(customers, inverted.to_numpy())
    wrong = np.zeros(made, dtype=bool)
    wrong[rng.choice(made, round(rows * _WRONG), replace=False)] = True
    left = left ^ wrong
    billed = np.where(left & (rng.random(made) < 0.99), rng.uniform(4, 90, made).round(2), 0.0)
    table = _with_gaps(rng, customers).with_columns(
        final_invoice=pl.Series(billed), churned=pl.Series(np.where(left, "Yes", "No"))
    )
    table, misspelt = _misspell(rng, table, ("plan", "region"))
    # Copies of rightly labelled rows only, so that the share of wrong labels is exact.
    source = np.append(np.arange(made), rng.choice(np.flatnonzero(~wrong), rows - made, replace=False))
    order = rng.permutation(rows)
    source = source[order]
    planted = Planted(
        target="churned",
        wrong=np.flatnonzero(wrong[source]),
        inverted_slice=_INVERTED,
        inverted=np.flatnonzero(inverted.to_numpy()[source]),
        leak="final_invoice",
        copies=np.flatnonzero(order >= made),
        misspelt=tuple((name, np.flatnonzero(mask[source])) for name, mask in misspelt),
    )
    return table[source], planted


def _customers(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """n looks at customers, of whom some are looked at more than once."""
    new = n - round(n * _SEEN_AGAIN)
    who = np.append(np.arange(new), rng.integers(0, new, n - new))
    plan = rng.choice(_PLANS, new, p=(0.35, 0.42, 0.23))
    price = np.select([plan == "Basic", plan == "Standard"], [28.0, 52.0], 84.0) + rng.normal(0, 9, new)
    age = np.clip(rng.normal(46, 15, new), 18, 92).round()
    months = np.clip(rng.gamma(1.5, 17, new), 1, 110)
    signed_up = _LAST_DAY - (months * _MONTH).astype("timedelta64[D]")
    tenure = months[who] * np.append(np.ones(new), rng.uniform(0.2, 0.9, n - new))
    silent = np.minimum(rng.gamma(1.1, 16, n), tenure * _MONTH)
    last_login = signed_up[who] + (tenure * _MONTH - silent).astype("timedelta64[D]")
    monthly = np.maximum(price[who] + rng.normal(0, 2, n), 9)
    name = np.char.add("C", rng.permutation(np.arange(10_000, 10_000 + 9 * new))[:new].astype(str))
    return pl.DataFrame(
        {
            "customer_id": name[who],
            "signed_up": signed_up[who],
            "last_login": last_login,
            "age": age[who].astype(np.int64),
            "region": rng.choice(_REGIONS, new, p=(0.27, 0.24, 0.2, 0.15, 0.14))[who],
            "plan": plan[who],
            "contract": rng.choice(_CONTRACTS, n, p=(0.55, 0.25, 0.2)),
            "payment": rng.choice(_PAYMENTS, n, p=(0.45, 0.3, 0.1, 0.15)),
            "paperless": rng.choice(("Yes", "No"), n, p=(0.6, 0.4)),
            "tenure_months": tenure.astype(np.int64),
            "monthly_charge": monthly.round(2),
            "total_charge": (monthly * np.maximum(tenure, 1) * rng.normal(1, 0.02, n)).round(2),
            "data_gb": rng.lognormal(2.2, 0.8, n).round(1),
            "support_calls": rng.poisson(1.4, n),
            "late_payments": rng.poisson(0.5, n),
            "satisfaction": np.clip(rng.normal(3.4, 1.1, n), 1, 5).round().astype(np.int64),
        }
    )


def _chance_of_leaving(customers: pl.DataFrame, inverted: np.ndarray) -> np.ndarray:
    monthly = pl.col("contract") == "Monthly"
    silent = (pl.lit(_LAST_DAY) - pl.col("last_login")).dt.total_days()
    weights = (
        (0.9, monthly),
        (-0.6, pl.col("contract") == "Two years"),
        (1.0, monthly & (pl.col("tenure_months") < 6)),
        (-0.03, pl.col("tenure_months") - 25),
        (0.4, pl.col("support_calls") - 1.4),
        (0.022, pl.col("monthly_charge") - 52),
        (0.5, pl.col("late_payments") - 0.5),
        (-0.65, pl.col("satisfaction") - 3.4),
        (0.5, pl.col("payment") == "Voucher"),
        (-0.012, pl.col("age") - 46),
        (0.002, silent.clip(0, 180)),
    )
    log_odds = customers.select(pl.sum_horizontal(weight * term for weight, term in weights)).to_series()
    signal = _STRENGTH * (log_odds.to_numpy() - 0.7)
    return 1 / (1 + np.exp(-(_CENTRE + np.where(inverted, -signal, signal))))


def _with_gaps(rng: np.random.Generator, customers: pl.DataFrame) -> pl.DataFrame:
    """Some cells were never filled in; the unhappy answer the survey less often."""
    silence = {"age": 0.05, "data_gb": 0.02, "payment": 0.01}
    gaps = {name: rng.random(len(customers)) < share for name, share in silence.items()}
    unhappy = (customers["satisfaction"] <= 2).to_numpy()
    gaps["satisfaction"] = rng.random(len(customers)) < np.where(unhappy, 0.3, 0.15)
    return customers.with_columns(
        pl.when(~pl.lit(pl.Series(values=gap))).then(name).alias(name) for name, gap in gaps.items()
    )


def _misspell(
    rng: np.random.Generator, table: pl.DataFrame, names: tuple[str, ...]
) -> tuple[pl.DataFrame, list[tuple[str, np.ndarray]]]:
    """Write some categories in capitals, in small letters, or with a blank behind them."""
    masks = [(name, rng.random(len(table)) < _MISSPELT) for name in names]
    for name, mask in masks:
        style = pl.Series(values=np.where(mask, rng.integers(1, 4, len(table)), 0))
        cell = pl.col(name)
        table = table.with_columns(
            pl.when(style == 1)
            .then(cell.str.to_uppercase())
            .when(style == 2)
            .then(cell.str.to_lowercase())
            .when(style == 3)
            .then(cell + " ")
            .otherwise(cell)
            .alias(name)
        )
    return table, masks
