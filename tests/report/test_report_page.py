"""The page holds everything, loads nothing, and runs nothing that it was not written with."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from holdfast.report.notebook import html
from holdfast.report.page import page
from holdfast.report.words import clean


class _Reader(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.tags, self.scripts, self.texts = [], [], []
        self._open = None

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append((dict(attrs), []))

    def handle_endtag(self, tag):
        self._open = None

    def handle_data(self, data):
        if self._open == "script":
            self.scripts[-1][1].append(data)
        elif self._open != "style":
            self.texts.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


@pytest.fixture(scope="module")
def read(request):
    """Reads the page of a named set of facts, once each."""
    pages = {}

    def reader(name):
        if name not in pages:
            pages[name] = _Reader()
            pages[name].feed(page(request.getfixturevalue(name)))
            pages[name].close()
        return pages[name]

    return reader


NAMES = pytest.mark.parametrize("name", ["churn", "houses", "hostile"])


@NAMES
def test_nothing_is_loaded(read, name):
    for tag, attributes in read(name).tags:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form"}
        for key in ("src", "href", "srcset", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:image/")), (tag, attributes)
        assert not any(key.startswith("on") for key in attributes)


@NAMES
def test_the_policy_allows_just_the_two_scripts(read, name):
    reader = read(name)
    policy = next(a["content"] for _, a in reader.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert "eval" not in policy
    running = ["".join(parts) for attributes, parts in reader.scripts if "type" not in attributes]
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in running]
    assert re.findall(r"'sha256-([^']+)'", policy) == digests
    assert len(running) == 2


@NAMES
def test_every_figure_has_its_facts_and_words_for_those_who_cannot_see_it(read, name):
    reader = read(name)
    figures = [a for tag, a in reader.tags if tag == "figure"]
    images = [a for tag, a in reader.tags if tag == "img"]
    assert len(figures) == len(images) >= 4
    assert all(image["alt"] for image in images)
    specs = [json.loads("".join(p)) for a, p in reader.scripts if a.get("type") == "application/json"]
    assert len(specs) == len(figures) + 1


@NAMES
def test_every_table_has_headers(read, name):
    heads = [a for tag, a in read(name).tags if tag == "th"]
    assert heads
    assert all(a.get("scope") in {"row", "col"} for a in heads)


def test_hostile_names_are_text_and_nothing_else(read, hostile):
    reader = read("hostile")
    assert len([1 for tag, _ in reader.tags if tag == "script"]) == len(reader.scripts)
    assert "<script>alert('x')</script>" in reader.text
    assert not {c for c in reader.text if not c.isprintable()}
    assert not any("alert('x')" in "".join(p) for a, p in reader.scripts if "type" not in a)
    assert clean(hostile.commands[0]) in reader.text


def test_the_page_says_everything(read, churn):
    said = read("churn").text
    twins = churn.twins
    assert "Twins: 22 rows in 11 sets equal another in every feature" in said
    assert f"with each set counted once {twins.each_once}" in said
    board = churn.leaderboard
    for entry in board.entries:
        assert entry.name in said
        assert str(entry.score) in said
        assert entry.against_best is None or str(entry.against_best.difference) in said
    for check in churn.data.checks:
        assert check.message in said
    for step in churn.data.lineage:
        assert step.name in said
    for command in churn.commands:
        assert command in said
    for fact in (
        board.corrected,
        churn.data.id,
        churn.record.model,
        churn.record.plan.id,
        *churn.environment.values(),
    ):
        assert str(fact) in said
    assert "absent: no row was predicted as positive" in said
    assert "not fitted: mlp-large" in said.lower()
    assert "nan" not in said.lower().replace("finance", "")
    assert "0.35 Wh" in said
    assert "EUR" in said


def test_the_first_screen_is_the_recommendation_and_the_picture(read):
    reader = read("churn")
    assert "Use catboost-4f2a91: log loss 0.411 [0.399, 0.423] on 5,634 rows" in reader.text.replace(
        " :", ":"
    )
    first = next(a for tag, a in reader.tags if tag == "figure")
    assert first["data-chart"] == "quality"


def test_without_a_price_there_is_no_energy(read):
    said = read("houses").text
    assert "when a price is given" in said
    assert not re.search(r"\d Wh\b", said)


def test_the_page_is_whole_and_small(houses):
    document = page(houses)
    assert document.rstrip().endswith("</html>")
    assert len(document) < 2_500_000


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no browser on this machine")
@pytest.mark.parametrize("name", ["churn", "hostile"])
def test_a_browser_draws_every_chart_under_the_policy(name, tmp_path, request):
    path = tmp_path / "report.html"
    path.write_text(page(request.getfixturevalue(name)), encoding="utf-8")
    command = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path / 'profile'}", "--virtual-time-budget=15000", "--enable-logging=stderr",
        "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert re.search(r'<html[^>]*class="drawn"', done.stdout)
    assert done.stdout.count('class="marks"') == done.stdout.count("data-chart=")
    assert "Content Security Policy" not in done.stderr
    assert "Uncaught" not in done.stderr


def test_notebooks_draw_core_values(churn, hostile):
    drawn = html(churn.leaderboard)
    assert all(entry.name in drawn for entry in churn.leaderboard.entries)
    assert "<script" not in html(hostile.leaderboard)
    for value in (churn.data, churn.record, churn.leaderboard.verdicts[0], churn.leaderboard.corrected):
        assert html(value).startswith('<div class="holdfast">')
    with pytest.raises(TypeError, match="no drawing of str"):
        html("text")
