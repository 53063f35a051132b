"""Guards in `holdfast.toml`: what is written is read, and every mistake is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.guard import WRITTEN, Guard, GuardKind
from holdfast.errors import InputError
from holdfast.store.settings import Settings, parse, template

PATH = Path("holdfast.toml")
GUARDS = (
    Guard(
        "newcomers", GuardKind.FLOOR, where="contract = 'm' and tenure < 6", metric="log_loss", at_most=0.62
    ),
    Guard("size \"x\" 'y'", GuardKind.SIZE, at_most=50),
    Guard("must", GuardKind.EXAMPLES, examples=("a", "b'\"")),
    Guard("old", GuardKind.NOT_WORSE, metric="auc", reference="lightgbm-4f2a91", margin=0.005),
    Guard("zero", GuardKind.INVARIANCE, column="gender", at_most=0.0),
    Guard("up", GuardKind.DIRECTION, column="tenure", direction="never raises"),
    Guard("ages", GuardKind.FAIRNESS, metric="tpr", column="age", at_most=0.1, bands=(30, 60)),
)


def test_what_is_written_is_read() -> None:
    settings = Settings(guards=GUARDS, solo=True)
    assert parse(template(settings), PATH) == settings
    assert parse(template(Settings()), PATH) == Settings()


def test_the_example_in_the_template_works_when_uncommented() -> None:
    before, example = template(Settings()).split("# [[guard]]")
    (guard,) = parse(before + "[[guard]]" + example.replace("\n# ", "\n"), PATH).guards
    assert guard == replace(GUARDS[0], where="contract = 'Month-to-month' and tenure < 6")


@pytest.mark.parametrize("kind", GuardKind)
def test_the_mend_of_every_kind_can_be_written(kind: GuardKind) -> None:
    text = f'[[guard]]\nname = "g"\nkind = "{kind}"\n' + WRITTEN[kind].replace(', "', '; "')
    lines = text.replace(", ", "\n").replace("; ", ", ")
    (guard,) = parse(lines, PATH).guards
    assert guard.kind is kind
    assert guard.origin == "holdfast.toml"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('kind = "size"\nat_most = 1', "guard 1 has no name"),
        ('name = "g"\nat_most = 1', r"guard 1 \('g'\): it has no kind. It takes one of 'floor', "),
        (
            'name = "g"\nkind = "flor"\nat_most = 1',
            r"guard 1 \('g'\): there is no kind 'flor'. Did you mean 'floor'",
        ),
        ('name = "g"\nkind = "size"\nat_mots = 1', r"a guard has no 'at_mots'. Did you mean 'at_most'"),
        ('name = "g"\nkind = "size"\npower = 0.9', r"a guard has no 'power'"),
        ('name = "g"\nkind = "size"\nat_most = "1"', r"at_most is '1'; it takes a number"),
        ('name = "g"\nkind = "size"\nat_most = true', r"at_most is True; it takes a number"),
        ('name = 3\nkind = "size"\nat_most = 1', r"name is 3; it takes a text"),
        (
            'name = "g"\nkind = "examples"\nexamples = [1]',
            r"examples is \[1\]; it takes a list of ids in quotes",
        ),
        (
            'name = "g"\nkind = "floor"\nmetric = "auc"',
            "The guard 'g' of kind floor needs just one of at_least",
        ),
        ('name = "g"\nkind = "size"\nat_most = nan', "at_most is a number such as"),
        (
            'name = "g"\nkind = "floor"\nmetric = "auc"\nat_least = 1\nwhere = "a = b"',
            "The guard 'g': The query",
        ),
        (
            'name = "g"\nkind = "floor"\nmetric = "auc"\nat_least = 1\nwhere = "exec(1) = 2"',
            "nothing is called",
        ),
        (
            'name = "g"\nkind = "size"\nat_most = 1\n[[guard]]\nname = "g"\nkind = "latency"\nat_most = 1',
            "guards 1 and 2 have one name, 'g'. Rename the second, for example: name = \"g 2\"",
        ),
        ('name = "g"\nkind = 5', "kind is 5; it takes one of 'floor', 'not-worse'"),
        ('name = "g"\nkind = "sizes"\nat_most = 1', "no kind 'sizes'. Did you mean 'size'"),
        ('name = "g"\nkind = "wrong"', "no kind 'wrong'. It takes one of 'floor'"),
        (
            'name = "g"\nkind = "direction"\ncolumn = "a"\ndirection = -1',
            'direction is -1; it takes "never raises" or "never lowers"',
        ),
        ('name = "g"\nkind = "floor"\nwhere = 3', "where is 3; it takes a slice in quotes"),
        ('name = "g"\nkind = "fairness"\ncolumn = 3', "column is 3; it takes the name of a column"),
        ('name = "g"\nkind = "champion"\nmargin = "1 %"', "margin is '1 %'; it takes a number above 0"),
        ('name = "g"\nkind = "fairness"\nbands = 30', r"bands is 30; it takes a list of numbers that rise"),
        ('name = "g"\nkind = "fairness"\nbands = ["30"]', r"bands is \['30'\]; it takes a list of numbers"),
        ('name = "g"\nkind = "size"\nxyz = 1', "a guard has no 'xyz'. There are: name, kind, where"),
    ],
)
def test_mistakes_are_named(lines: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        parse("[[guard]]\n" + lines, PATH)
    assert str(caught.value).startswith("holdfast.toml: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("guard = 3", r"Begin each with a line \[\[guard\]\]"),
        ('[guard]\nname = "g"', r"Begin each with a line \[\[guard\]\]"),
        ("[[gaurd]]\n", r"no \[gaurd\]. Did you mean '\[\[guard\]\]'"),
        ('[review]\nsolo = "yes"', "solo is 'yes'; it takes a value of type bool"),
        ("[review]\nsole = true", "Did you mean 'solo'"),
        ("[train]\nseed = true", "seed is True"),
    ],
)
def test_what_is_no_table_of_guards(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse(text, PATH)


def test_older_files_without_guards_are_read() -> None:
    settings = parse('format = "project.v1"\n[data]\ntarget = "churn"\n', PATH)
    assert (settings.guards, settings.solo) == ((), False)
