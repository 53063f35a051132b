"""The card is what a model hub reads; it says every fact, invents none, and shows hostile text as text."""

# ruff: noqa: E501

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from holdfast.core.card import Declared
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Findings
from holdfast.core.release import History, Standing
from holdfast.core.report_facts import Price
from holdfast.core.run import Cost
from holdfast.report.card import card
from holdfast.report.markdown import code, fenced, front_matter, inline
from holdfast.report.words import clean

HOSTILE = (
    "<script>alert(1)</script> <img src=x onerror=y> [a](http://evil) ![b](http://evil) **c** _d_ `e` | f "
    "www.evil.com https://evil &lt; $g$ ~~h~~ \\ {i} @j #k \x1b[31m\u202e ``` - l: 'm' \"n\" --- # o"
)
SECTIONS = [
    "Intended use", "Data", "How it was made", "Quality", "Weak slices", "Fairness", "Guards", "Proven fixes",
    "Known findings left open", "Review", "Licence", "How to make it again", "Cost and energy",
]  # fmt: skip


def _split(text):
    """The head of a card, and its Markdown."""
    _, head, body = re.split(r"^---$", text, maxsplit=2, flags=re.MULTILINE)
    return head, body


def _tokens(text):
    parsed = (
        MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(_split(text)[1])
    )
    return [leaf for token in parsed for leaf in (token, *(token.children or ()))]


def _shape(text):
    """The kinds of everything but text itself, in order."""
    return [token.type for token in _tokens(text) if token.type not in ("text", "text_special")]


def _shown(text):
    """What a reader sees."""
    return "".join(
        token.content if token.type in ("text", "text_special", "code_inline", "fence") else " "
        for token in _tokens(text)
    )


def _yaml(text):
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load(_split(text)[0])


def _headings(text):
    tokens = _tokens(text)
    return [
        tokens[at + 1].content
        for at, one in enumerate(tokens)
        if one.type == "heading_open" and one.tag == "h2"
    ]


def test_every_section_is_there_in_order(card_of):
    assert _headings(card(card_of())) == SECTIONS


def test_the_head_is_what_a_hub_reads(card_of):
    facts = card_of("mit", standing=Standing.CHAMPION)
    head = _yaml(card(facts))
    assert head["license"] == "mit"
    assert head["library_name"] == "holdfast"
    assert head["pipeline_tag"] == "tabular-classification"
    assert {"holdfast", "released"} <= set(head["tags"])
    assert head["datasets"] == ["mit.csv"]
    assert "roc_auc" in head["metrics"]
    (model,) = head["model-index"]
    opened, sealed = model["results"]
    values = {one["type"]: one for one in opened["metrics"]}
    assert values["roc_auc"]["value"] == pytest.approx(facts.scores["auc"].value)
    assert "95% interval 0.837 to 0.859, 5,634 rows" in values["roc_auc"]["name"]
    assert [one["value"] for one in sealed["metrics"]] == [facts.stage.release.score.value]
    assert sealed["dataset"]["split"] == "sealed rows"


def test_what_has_no_value_is_no_result(card_of):
    head = _yaml(card(card_of()))
    assert "precision" not in head["metrics"]  # it is absent: no row was predicted as positive
    assert all(
        math.isfinite(one["value"])
        for result in head["model-index"][0]["results"]
        for one in result["metrics"]
    )


def test_every_number_has_its_interval(card_of):
    facts = card_of()
    said = _shown(card(facts))
    release, (proof,) = facts.stage.release, facts.fixes
    estimates = [
        *facts.scores.values(), release.score, release.difference, proof.claims[0].sealed, proof.claims[1].open,
        facts.fairness[0].gap, *facts.fairness[0].groups.values(), facts.left_open[0].effect,
    ]  # fmt: skip
    for estimate in estimates:
        assert str(estimate) in said


def test_the_card_says_every_fact(card_of):
    facts = card_of("zebra", price=Price(12.0, 0.31, 0.04, "EUR"))
    said = _shown(card(facts))
    for fact in (
        facts.data.id, facts.record.model, facts.record.plan.id, facts.history.newest, *facts.commands,
        "use zebra", "more zebra", "limit zebra", "warning zebra", "step zebra", "check zebra", "note zebra",
        "newcomers zebra", "group zebra", "small zebra", "Weak where zebra", "200 rows zebra", "kind zebra",
        "Looked for in before zebra", "harmed zebra", "1 no worse, 1 harmed, 1 undecided", "Wh", "EUR", "Ann zebra",
        "passed", "not run", "zebra.csv", "12.3%", "0.004", "99.5 % interval", "nobody yet",
    ):  # fmt: skip
        assert fact in said, fact
    assert "/home/ann" not in said  # where the file lies is nobody's business


def test_sealed_numbers_of_other_parts_are_not_shown(card_of):
    facts = card_of()
    harmed = next(one for one in facts.fixes[0].claims if one.name.startswith("harmed"))
    assert _shown(card(facts)).count(str(harmed.sealed)) == 1  # the open rows' own, which is equal here


def test_a_finding_that_a_fix_answers_is_not_left_open(card_of):
    facts = card_of()
    answered = replace(facts.fixes[0], finding=facts.findings[0].id)
    said = card(replace(facts, fixes=(answered,)))
    assert facts.findings[0].title in card(facts)
    assert facts.findings[0].title not in said
    assert facts.findings[1].title in said


def test_what_is_not_known_is_said_and_nothing_is_invented(card_of):
    facts = card_of()
    bare = replace(
        facts, stage=None, history=History(()), scores={}, by_class={}, fairness=(), guards=(), fixes=(),
        findings=None, declared=Declared(), training=Cost(), commands=(),
        data=replace(facts.data, checks=(), lineage=(), classes={}, task=None),
        record=replace(facts.record, plan=None, cost=Cost(), warnings=(), notes=(), environment={}, model="", weights={}),
    )  # fmt: skip
    text = card(bare)
    said = _shown(text)
    assert _headings(text) == SECTIONS
    for line in (
        "Its owner has not said what it may be used for.",
        "Its owner has not said what it must not be used for.",
        "No contact is given.",
        "The table is as it was read.",
        "The checks found nothing to report.",
        "No plan is recorded",
        "No score is known.",
        "This run was not.",
        "Nobody has looked for any",
        "No column is marked as sensitive",
        "There were no guards to hold it to.",
        "It carries none.",
        "Nobody has reviewed it.",
        "model: no licence is stated",
        "No command is recorded",
        "no price is given",
        "never put to the gate",
    ):
        assert line in " ".join(said.split()).replace(" : ", ": ").replace(":  ", ": "), line
    head = _yaml(text)
    assert not {"license", "language", "metrics", "model-index", "pipeline_tag"} & set(head)


def test_findings_that_were_looked_for_and_not_there_are_none(card_of):
    facts = replace(card_of(), findings=Findings((), "run plain"), fixes=())
    assert card(facts).count("None is known.") == 2


def test_who_overrode_the_gate_is_named(card_of):
    facts = card_of("zebra", standing=Standing.CHAMPION)
    stage = replace(facts.stage, release=replace(facts.stage.release, overrode="Zoe"))
    assert "Zoe put it forward although the gate said no." in card(replace(facts, stage=stage))


def test_hostile_text_changes_nothing_of_the_card_but_its_text(card_of):
    plain, hostile = (card(card_of(text, standing=Standing.CHAMPION)) for text in ("plain", HOSTILE))
    assert _shape(hostile) == _shape(plain)
    assert not {"html_inline", "html_block", "link_open", "image", "em_open", "s_open"} & set(_shape(hostile))
    said = _shown(hostile)
    assert f"more {clean(HOSTILE)}" in said
    assert f"because {clean(HOSTILE)}" in said
    assert "\x1b" not in hostile
    assert "\u202e" not in hostile


def test_hostile_text_is_text_to_yaml_too(card_of):
    head = _yaml(card(card_of(HOSTILE)))
    assert head["license"] == clean(HOSTILE)
    assert set(head) == set(_yaml(card(card_of("plain"))))
    assert head["model-index"][0]["name"] == f"run {clean(HOSTILE)}"


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "12) a", "# a", "> a", "===", "---", "* a", "    a", "~~~", "|a|b|"]
)
def test_no_text_begins_a_list_a_rule_a_heading_or_a_block(text):
    parsed = MarkdownIt("commonmark").enable("table").parse(f"before\n\n{inline(text)}\n{inline(text)}")
    assert [token.type for token in parsed] == ["paragraph_open", "inline", "paragraph_close"] * 2


@pytest.mark.parametrize("text", ["http://evil.com", "HTTPS://evil.com", "www.evil.com", "mailto:a@evil.com"])
def test_no_address_becomes_a_link_where_readers_link_bare_ones(text):
    shown = inline(f"see {text} now")
    assert not re.search(r"(?i)(https?:|www\.|mailto:|[^\\]@)", shown)
    (block,) = [token for token in MarkdownIt().parse(shown) if token.type == "inline"]
    assert "".join(child.content for child in block.children) == f"see {text} now"


@pytest.mark.parametrize("text", ["`", "``", "a`b``c", "`a`", "```", "a\n```\nb"])
def test_no_text_ends_the_code_that_it_stands_in(text):
    (inside,) = MarkdownIt().parseInline(code(text))[0].children
    assert inside.type == "code_inline"
    (block,) = MarkdownIt().parse(fenced([text, "after"], "sh"))
    assert (block.type, block.content) == ("fence", f"{clean(text)}\nafter\n")


def test_numbers_and_texts_come_back_from_yaml_as_they_were():
    yaml = pytest.importorskip("yaml")
    head = {
        "a": ["no", "1.0", "x: y", "\u00fcber \U0001f600"],
        "b": {"c": 1e-07, "d": 0.5, "e": True, "f": 3},
    }
    assert yaml.safe_load(front_matter(head).strip("-\n")) == head


def test_estimates_keep_their_brackets(card_of):
    facts = replace(card_of(), scores={"auc": Estimate(0.8, 0.7, 0.9, n=10, method="[x](http://evil)")})
    assert "0.80 [0.70, 0.90]" in card(facts)
    assert "[x](" not in card(facts)
