"""The reviewer's page asks, shows what speaks for and against, and neither loads nor runs anything."""

# ruff: noqa: E501

from __future__ import annotations

import base64
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from holdfast.core.release import Standing
from holdfast.core.report_facts import Price
from holdfast.errors import InputError
from holdfast.report.release_page import history_page, release_page
from holdfast.report.words import clean

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\" onload=\"x\x1b[31m\u202e{{ 7*7 }}"
_VOID = {"meta", "img", "source", "br", "link"}


class _Reader(HTMLParser):
    def __init__(self, document):
        super().__init__(convert_charrefs=True)
        self.tags, self.texts, self.open, self.unbalanced = [], [], [], []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def read(card_of):
    """The read page of a release whose outside texts are the one given."""
    pages = {}

    def reader(text="plain", standing=Standing.PROPOSED):
        if (text, standing) not in pages:
            pages[text, standing] = _Reader(release_page(card_of(text, standing=standing)))
        return pages[text, standing]

    return reader


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_nothing_is_loaded_and_nothing_runs(read, text):
    reader = read(text)
    assert not {"script", "link", "iframe", "object", "embed", "base", "form"} & {
        tag for tag, _ in reader.tags
    }
    for tag, attributes in reader.tags:
        for key in ("src", "href", "srcset", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:image/svg+xml;base64,")), (tag, attributes)
        assert not any(key.startswith("on") for key in attributes)
    policy = next(a["content"] for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_the_document_is_well_formed(read, text):
    reader = read(text)
    assert (reader.open, reader.unbalanced) == ([], [])
    names = [a["id"] for _, a in reader.tags if "id" in a]
    assert len(names) == len(set(names))
    targets = {a["href"][1:] for tag, a in reader.tags if tag == "a"}
    assert targets <= set(names)
    assert all(a.get("scope") in {"row", "col"} for tag, a in reader.tags if tag == "th")


def test_hostile_text_changes_no_element_of_the_page(read):
    plain, hostile = read("plain"), read(HOSTILE)
    drawn = {"src": "", "srcset": "", "alt": "", "content": ""}

    def shape(reader):
        return [(tag, {**attributes, **drawn, "class": ""}) for tag, attributes in reader.tags]

    assert shape(hostile) == shape(plain)
    assert clean(HOSTILE) in hostile.text
    assert "{{ 7*7 }}" in hostile.text
    assert "\x1b" not in hostile.text


def test_no_picture_holds_what_could_run(read):
    for _, attributes in read(HOSTILE).tags:
        for key in ("src", "srcset"):
            if attributes.get(key, "").startswith("data:image"):
                drawn = ElementTree.fromstring(base64.b64decode(attributes[key].partition(",")[2]))
                for element in drawn.iter():
                    assert element.tag.rpartition("}")[2] in {
                        "svg",
                        "g",
                        "path",
                        "text",
                        "tspan",
                        "rect",
                        "line",
                    }
                    assert not any(name.startswith("on") or "href" in name for name in element.attrib)


def test_the_first_screen_asks_and_shows_the_two_commands(read):
    reader = read("zebra")
    asked = reader.text[reader.text.index("Approve or reject") :]
    assert asked.index("May run zebra take the place of before zebra?") < 40
    assert "The gate let it pass: better than zebra" in asked
    assert "Somebody other than Ann zebra decides" in asked
    assert 'holdfast approve release-0002 --as NAME --why "' in asked
    assert 'holdfast reject release-0002 --as NAME --why "' in asked
    first = next(a for tag, a in reader.tags if tag == "img")
    assert "run zebra less before zebra: 0.014 [0.003, 0.025], positive is better" in first["alt"]
    assert "with a margin of 0.0082" in first["alt"]


def test_the_page_says_every_fact(read, card_of):
    facts, said = card_of("zebra"), read("zebra").text
    (proof,) = facts.fixes
    shown = [one.open for one in proof.claims] + [one.sealed for one in proof.claims[:2]]
    for fact in (
        *shown, *facts.scores.values(), facts.fairness[0].gap, *facts.fairness[0].groups.values(),
        facts.stage.release.score, facts.stage.release.difference, facts.history.stages[0].release.score,
        facts.data.id, facts.record.model, facts.record.plan.id, facts.history.newest, *facts.commands,
        "1 no worse, 1 harmed, 1 undecided", "harmed zebra", "undecided zebra", "2,315", "newcomers zebra", "no model",
        "Weak where zebra", "200 rows zebra", "Looked for in before zebra", "Not looked for: kind zebra, why zebra",
        "check zebra", "step zebra", "7 decisions", "library zebra", "14 more answers", "1 of 2 passed",
        "no price is given", "when it was itself released as release-0001",
    ):  # fmt: skip
        assert str(fact) in said, fact
    assert "nan" not in said.lower()


def test_sealed_numbers_of_other_parts_are_not_shown(read, card_of):
    harmed = next(one for one in card_of().fixes[0].claims if one.name.startswith("harmed"))
    assert read().text.count(str(harmed.sealed)) == 1  # the open rows' own, which is equal here


def test_what_was_decided_is_said_and_no_longer_asked(read):
    for standing, word in ((Standing.CHAMPION, "approved"), (Standing.REJECTED, "rejected")):
        said = read("zebra", standing).text
        assert f"Bob zebra {word} run zebra: because zebra" in said
        assert "holdfast approve" not in said


def test_an_override_is_the_first_thing_said(card_of):
    facts = card_of("zebra")
    stage = replace(facts.stage, release=replace(facts.stage.release, overrode="Zoe", why="the gate said no"))
    said = _Reader(release_page(replace(facts, stage=stage))).text
    assert said.index("The gate said no. Zoe put it forward all the same") < said.index("take the place of")
    assert "The gate let it pass" not in said


def test_a_solo_project_says_that_the_author_may_decide(card_of):
    said = _Reader(release_page(replace(card_of("zebra"), solo=True))).text
    assert "set to solo, so Ann zebra may decide too" in said
    assert "Somebody other than" not in said


def test_a_first_release_is_held_against_a_constant(card_of):
    facts = card_of()
    first = replace(facts.stage, release=replace(facts.stage.release, champion=""))
    said = _Reader(release_page(replace(facts, stage=first))).text
    assert "take the place of a constant, since nothing was released before?" in said
    assert "when it was itself released" not in said


def test_what_is_not_known_is_said(card_of):
    facts = card_of()
    bare = replace(
        facts, fixes=(), findings=None, fairness=(), scores={}, by_class={}, commands=(),
        stage=replace(facts.stage, release=replace(facts.stage.release, guards=())),
        data=replace(facts.data, checks=(), lineage=()), record=replace(facts.record, plan=None, model=""),
    )  # fmt: skip
    said = _Reader(release_page(bare)).text
    for line in (
        "It carries no proven fix.", "There were no guards to hold it to.", "Nobody has looked for what is wrong",
        "No column is marked as sensitive", "No score is known.", "No command is recorded", "none recorded",
        "The checks found nothing to report.", "The table is as it was read.", "nobody looked",
    ):  # fmt: skip
        assert line in said


def test_energy_and_money_come_with_a_price(card_of):
    said = _Reader(release_page(card_of(price=Price(12.0, 0.31, 0.04, "EUR")))).text
    assert "0.17 Wh, < 0.001 EUR" in said


def test_a_run_that_was_never_put_to_the_gate_has_no_page(card_of):
    with pytest.raises(InputError, match="holdfast release run plain"):
        release_page(replace(card_of(), stage=None))


def test_the_page_is_small_enough_to_send(card_of):
    assert len(release_page(card_of())) < 300_000


@pytest.mark.parametrize("text", ["plain", HOSTILE])
def test_the_history_page_names_everybody(card_of, text):
    reader = _Reader(history_page(card_of(text, standing=Standing.CHAMPION).history, "0.1.0"))
    assert (reader.open, reader.unbalanced) == ([], [])
    assert not {"script", "link", "iframe"} & {tag for tag, _ in reader.tags}
    if text == "plain":
        for said in (
            "release-0001", "release-0002", "Zoe plain rolled release-0000 back to release-0001", "no plain",
            "continue for plain", "c0ffee", "7 decisions",
        ):  # fmt: skip
            assert said in reader.text
