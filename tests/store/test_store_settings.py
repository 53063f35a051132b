"""`holdfast.toml`: written once, edited by hand, wrong in every way that hands can."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.schema import Kind, Role
from holdfast.core.space import Choices, Range
from holdfast.errors import InputError, NewerError
from holdfast.store.settings import Settings, parse, template

PATH = Path("holdfast.toml")

FULL = Settings(
    target='Weird [name] "quoted" = 1\n',
    positive="Yes",
    roles={"a b": Role.GROUP, "größe.x": Role.IGNORED},
    kinds={"zip": Kind.CATEGORY},
    metric="auc",
    sealed=0.3,
    decisions=5,
    budget=12.5,
    learners=("lightgbm", "ridge"),
    seed=3,
    watts=15.0,
    per_kwh=0.3,
    per_core_hour=0.02,
    currency="EUR",
    catalog="postgresql://h/n",
    license="apache-2.0",
    data_license="CC-BY-4.0",
    intended_use='Ranks customers for a call.\nBy "people" only.',
    limits="Not for prices.",
    contact="Ann, ann@example.org",
    language="en",
)


@pytest.mark.parametrize("settings", [Settings(), FULL, Settings(budget=60)])
def test_what_is_written_is_read(settings: Settings) -> None:
    assert parse(template(settings), PATH) == settings


def test_every_setting_is_explained() -> None:
    lines = template(Settings()).splitlines()
    for number, line in enumerate(lines):
        assert len(line) <= 100
        if " = " in line and not line.startswith("#") and not line.startswith("format"):
            assert lines[number - 1].startswith("# ")


def test_comments_in_the_template_work_when_uncommented() -> None:
    text = template(Settings()).replace("# budget = ", "budget = ")
    text = (
        text.replace("# [search", "[search")
        .replace("# num_leaves", "num_leaves")
        .replace("# boosting", "boosting")
    )
    settings = parse(text, PATH)
    assert settings.budget == 60.0
    assert settings.search == {
        "lightgbm": {
            "num_leaves": Range(8, 256, log=True, integer=True),
            "boosting": Choices(("gbdt", "dart")),
        }
    }


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("", PATH) == Settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[data]\ntarget = churn", "not valid TOML"),
        ('[data]\ntraget = "churn"', "no traget in .data.. Did you mean 'target'"),
        ("[dta]\n", r"no .dta.. Did you mean '.data.'"),
        ('target = "churn"', "no .target."),
        ('[data]\nroles = { a = "grp" }', r"no 'grp' for .data. roles.a. Did you mean 'group'"),
        ('[data]\nkinds = { a = "float" }', "Did you mean 'number'"),
        ("[data]\ntarget = 3", "target is 3; it takes a value of type str"),
        ("[train]\nseed = true", "seed is True"),
        ("[train]\nbudget = 0", "budget is in seconds"),
        ('[train]\nbudget = "60s"', "budget is '60s'"),
        ("[judge]\nsealed = 1.5", "sealed is a share"),
        ("[judge]\nsealed = nan", "sealed is a share"),
        ("[judge]\ndecisions = 0", "decisions"),
        ("[cost]\nwatts = -1", "cannot be negative"),
        ("[search]\nlightgbm = 3", "section per learner"),
        ("[search.lightgbm]\nnum_leaves = [9, 3]", "low < high"),
        ("data = 3", "no .data."),
        ("[card]\nlicense = 3", "license is 3; it takes a value of type str"),
        ('[card]\nlicence = "mit"', "no licence in .card.. Did you mean 'license'"),
        ('[card]\nintended_use = ["calls"]', "it takes a value of type str"),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse(text, PATH)
    assert str(caught.value).startswith("holdfast.toml")


def test_a_newer_file() -> None:
    with pytest.raises(NewerError, match=r"holdfast\.toml has format 'project.v2'"):
        parse('format = "project.v2"', PATH)
