"""Who is sealed: the rule that a project freezes, and each dataset's rows under it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.split import Split
from holdfast.errors import StoreError
from holdfast.store.catalog import add_once, frozen, stamp
from holdfast.store.datasets import parquet, table_of
from holdfast.store.records import decode, encode
from holdfast.store.store import Store
from holdfast.store.tables import tables

RULE, SPLIT = "rule.v1", "split.v1"


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides every row's name and role in a project, for ever (see `core.split.Split`).

    `id`, `group` and `time` are the columns of those roles, `key` the features that the
    project began with. Where the owner brought sealed rows of their own, `share` is 0.
    """

    salt: int
    share: float
    cut: str | None = None
    id: str | None = None
    group: str | None = None
    time: str | None = None
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Facts:
    """A Split without its rows."""

    folds: int
    salt: int
    share: float
    cut: str | None


def freeze_rule(store: Store, rule: Rule) -> Rule:
    """The project's rule: this one if it is the first, else the one that was there.

    Of two commands that come at once, both are given the same.
    """
    kept = store.catalog.write(lambda connection: frozen(connection, "rule", encode(rule, RULE)))
    return decode(Rule, kept, RULE)


def load_rule(store: Store) -> Rule | None:
    """The project's rule, None before its first split."""
    from sqlalchemy import select

    about = tables().about
    query = select(about.c.value).where(about.c.name == "rule")
    text = store.catalog.read(lambda connection: connection.execute(query).scalar())
    return None if text is None else decode(Rule, text, RULE)


def save_split(store: Store, dataset: Dataset, split: Split) -> None:
    """Keep every row's role and fold, by example; the first for a dataset and number of folds stays."""
    facts = _Facts(split.folds, split.salt, split.share, split.cut)
    rows = pl.DataFrame(
        {"example": dataset.example, "role": split.role, "fold": split.fold, "tied": split.tied}
    )
    files = {"split.json": encode(facts, SPLIT).encode(), "rows.parquet": parquet(rows)}
    row = {"dataset": _key(dataset, split.folds), "object": store.objects.put_files(files), "saved": stamp()}
    store.catalog.write(lambda connection: add_once(connection, tables().splits, row))


def load_split(store: Store, dataset: Dataset, folds: int) -> Split | None:
    """The split that was saved for this dataset, in the order of its rows; None without one."""
    from sqlalchemy import select

    splits, key = tables().splits, _key(dataset, folds)
    query = select(splits.c.object).where(splits.c.dataset == key)
    name = store.catalog.read(lambda connection: connection.execute(query).scalar())
    if name is None:
        return None
    files = store.objects.get_files(name, of=f"the split of dataset {dataset.id[:8]}")
    facts = decode(_Facts, files["split.json"].decode(), SPLIT)
    rows = table_of(files["rows.parquet"])
    asked = pl.DataFrame({"example": dataset.example})
    ours = asked.join(rows, on="example", how="left", maintain_order="left")
    if ours["role"].null_count():
        raise StoreError(
            f"The split of dataset {dataset.id[:8]} in {store.root} lacks some of its rows. Restore the "
            "folder .holdfast from a copy of the project, or start another: --project DIR"
        )
    role, fold, tied = (ours[name].to_numpy() for name in ("role", "fold", "tied"))
    return Split(role.astype(str), fold, tied, facts.folds, facts.salt, facts.share, facts.cut)


def _key(dataset: Dataset, folds: int) -> str:
    return f"{dataset.id}/{folds}"
