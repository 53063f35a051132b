"""`holdfast.toml`: what a project's owner decides, written once with every choice explained."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import cast

from holdfast.core.guard import Guard
from holdfast.core.schema import Kind, Role
from holdfast.core.space import Space, parse_range
from holdfast.errors import InputError, NewerError, PlanError, suggest
from holdfast.store.guard_settings import guards_text, parse_guards

FILE = "holdfast.toml"
FORMAT = "project.v1"


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for a whole project unless a command says otherwise.

    `roles` and `kinds` override, by column, what was inferred. `metric` and `learners`
    are chosen by the task when empty. `sealed` is the share of rows kept for the gate,
    and `decisions` how many gate decisions they must last for. `budget` is in seconds;
    `search` has the spaces of learners to tune, in place of their own. `watts` and the
    prices turn CPU seconds into energy and money. `catalog` is the URL of the database,
    "" for a file in the project. With `solo` an author may approve their own release.
    `guards` are those written by hand. From `license` to `language`: what a model card says
    that no fact of a training can tell.
    """

    target: str = ""
    positive: str = ""
    roles: Mapping[str, Role] = field(default_factory=dict)
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    metric: str = ""
    sealed: float = 0.2
    decisions: int = 20
    budget: float | None = None
    learners: tuple[str, ...] = ()
    seed: int = 0
    search: Mapping[str, Space] = field(default_factory=dict)
    watts: float = 0.0
    per_kwh: float = 0.0
    per_core_hour: float = 0.0
    currency: str = ""
    catalog: str = ""
    solo: bool = False
    guards: tuple[Guard, ...] = ()
    license: str = ""
    data_license: str = ""
    intended_use: str = ""
    limits: str = ""
    contact: str = ""
    language: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.sealed < 1.0:
            raise InputError(f"sealed is a share of the rows, at least 0 and below 1, not {self.sealed!r}.")
        if self.decisions < 1:
            raise InputError(
                f"decisions is how often the sealed rows may answer: 1 or more, not {self.decisions}."
            )
        if self.budget is not None and not self.budget > 0:
            raise InputError(
                f"budget is in seconds and above 0, not {self.budget!r}; leave it out for no limit."
            )
        if min(self.watts, self.per_kwh, self.per_core_hour) < 0:
            raise InputError("watts, per_kwh and per_core_hour cannot be negative.")


_SEARCH = """
# What `train --tune` may try, where a learner's own space does not suit:
# [search.lightgbm]
# num_leaves = [8, 256, "log"]
# boosting = ["gbdt", "dart"]
"""

# section -> setting -> what it means; the order of the file
_SECTIONS: Mapping[str, Mapping[str, str]] = {
    "data": {
        "target": "the column to predict",
        "positive": "the class of interest when there are two; empty: chosen and shown",
        "roles": 'columns whose role was guessed wrong, e.g. { customer = "group", signup = "time" }; one of '
        + ", ".join(Role),
        "kinds": 'columns whose kind was guessed wrong, e.g. { zip_code = "category" }; one of '
        + ", ".join(Kind),
    },
    "judge": {
        "metric": "what models are chosen by; empty: log loss for classes, RMSE for numbers",
        "sealed": "the share of rows that only answer at the gate; frozen when first used",
        "decisions": "how many gate decisions the sealed rows must last for",
    },
    "train": {
        "budget": "seconds for a training; leave it out for no limit",
        "learners": 'which learners to fit, e.g. ["lightgbm", "catboost"]; empty: all that pay',
        "seed": "the same seed, data and plan give the same model",
    },
    "cost": {
        "watts": "the power that one busy core draws; 0: energy is not shown",
        "per_kwh": "the price of a kilowatt hour",
        "per_core_hour": "the rent of one core for an hour",
        "currency": 'e.g. "EUR"',
    },
    "review": {
        "solo": "true: whoever made a release may approve it too, and the record says so",
    },
    "card": {
        "license": 'the licence of the models made here, a short name such as "apache-2.0"',
        "data_license": "the licence of the data that they are made of",
        "intended_use": "what a model may be used for, and by whom",
        "limits": "what it must not be used for, and what is known to be beyond it",
        "contact": "whom to ask about it: a name, a page or an address",
        "language": 'the language of the texts in the data, e.g. "en"',
    },
    "store": {
        "catalog": "a database URL such as postgresql+psycopg://host/name, with the password "
        "in the environment (PGPASSWORD); empty: a file in .holdfast",
    },
}

_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("target", "positive", "metric", "currency", "catalog"), (str,)),
    **dict.fromkeys(("license", "data_license", "intended_use", "limits", "contact", "language"), (str,)),
    **dict.fromkeys(("sealed", "budget", "watts", "per_kwh", "per_core_hour"), (int, float)),
    **dict.fromkeys(("decisions", "seed"), (int,)),
    **dict.fromkeys(("roles", "kinds"), (dict,)),
    "learners": (list,),
    "solo": (bool,),
}


def template(settings: Settings) -> str:
    """The text of a new `holdfast.toml`: every setting with its meaning, unset ones as comments."""
    import tomlkit

    document = tomlkit.document()
    document.add(tomlkit.comment("A Holdfast project. Edit by hand: every command reads this file first."))
    document["format"] = FORMAT
    for section, meanings in _SECTIONS.items():
        table = tomlkit.table()
        for name, meaning in meanings.items():
            for line in wrap(meaning, 98):
                table.add(tomlkit.comment(line))
            value = getattr(settings, name)
            if value is None:
                table.add(tomlkit.comment(f"{name} = 60"))
            elif isinstance(value, Mapping):
                inline = tomlkit.inline_table()
                inline.update({key: str(item) for key, item in value.items()})
                table[name] = inline
            else:
                table[name] = list(value) if isinstance(value, tuple) else value
        document[section] = table
    return tomlkit.dumps(document) + _SEARCH + guards_text(settings.guards)


def parse(text: str, path: Path) -> Settings:
    """Settings from the text of a `holdfast.toml`; InputError names the line or the setting."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f'{path} is not valid TOML: {error}. A text needs quotes: target = "churn"'
        ) from error
    written = document.pop("format", FORMAT)
    if written != FORMAT:
        raise NewerError.format(str(written), FORMAT, where=path)
    given: dict[str, object] = {
        "search": _search(path, document.pop("search", {})),
        "guards": parse_guards(document.pop("guard", []), path),
    }
    for section, values in document.items():
        if section not in _SECTIONS or not isinstance(values, dict):
            raise _unknown(
                path, section, [f"[{name}]" for name in (*_SECTIONS, "search", "[guard]")], f"[{section}]"
            )
        for name, value in values.items():
            if name not in _SECTIONS[section]:
                raise _unknown(path, name, list(_SECTIONS[section]), f"{name} in [{section}]")
            given[name] = _typed(path, f"[{section}] {name}", name, value)
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def _typed(path: Path, place: str, name: str, value: object) -> object:
    expected = _TYPES[name]
    if not isinstance(value, expected) or (isinstance(value, bool) and bool not in expected):
        words = " or ".join(kind.__name__ for kind in expected)
        raise InputError(f"{path}: {place} is {value!r}; it takes a value of type {words}.")
    if name in ("roles", "kinds"):
        choices: type[Role | Kind] = Role if name == "roles" else Kind
        return {
            column: _choice(path, f"{place}.{column}", choices, item)
            for column, item in cast("dict[str, object]", value).items()
        }
    if name == "learners":
        return tuple(str(item) for item in cast("list[object]", value))
    return float(value) if float in expected else value  # type: ignore[arg-type]


def _search(path: Path, learners: object) -> dict[str, Space]:
    if not isinstance(learners, dict) or not all(isinstance(space, dict) for space in learners.values()):
        raise InputError(f"{path}: [search] holds a section per learner, e.g. [search.lightgbm].")
    try:
        return {
            learner: {name: parse_range(f"{learner}.{name}", text) for name, text in space.items()}
            for learner, space in learners.items()
        }
    except PlanError as error:
        raise InputError(f"{path}: {error}") from error


def _choice(path: Path, place: str, choices: type[Role | Kind], value: object) -> Role | Kind:
    names = [str(choice.value) for choice in choices]
    if value not in names:
        raise _unknown(path, str(value), names, f"{value!r} for {place}")
    return choices(value)


def _unknown(path: Path, name: str, known: list[str], what: str) -> InputError:
    near = get_close_matches(name, known, n=2, cutoff=0.5) or known
    return InputError(f"{path}: there is no {what}. {suggest(near)}")
