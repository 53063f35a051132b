"""From a real project to its card, its reviewer's page and its staircase."""

from __future__ import annotations

from shutil import copytree

import pytest

import holdfast as hf
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, Where
from holdfast.core.release import Release, Rollback, Standing
from holdfast.data.simulated import churn
from holdfast.engine.inline import InlineEngine
from holdfast.errors import DecisionError, FileError, InputError, UnknownRunError
from holdfast.project import fitting
from holdfast.project.card import card_facts, write_card, write_history, write_release_page
from holdfast.project.gate import propose
from holdfast.project.handle import open_project
from holdfast.project.history import history
from holdfast.project.sign_off import approve, rollback
from holdfast.store.findings import save_findings


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A project with three runs and something said for the card; nothing is released."""
    folder = tmp_path_factory.mktemp("trained")
    table, planted = churn(rows=1000)
    table.write_csv(folder / "customers.csv")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_engine", lambda request: InlineEngine())
        hf.train(
            str(folder / "customers.csv"),
            target=planted.target,
            ignore=[planted.leak],
            sensitive=["region"],
            learners=["linear", "decision_tree", "constant"],
            project=str(folder),
        )
    settings = folder / "holdfast.toml"
    text = settings.read_text(encoding="utf-8")
    said = text.replace('\nlicense = ""', '\nlicense = "mit"').replace(
        'contact = ""', 'contact = "ann@example.org"'
    )
    settings.write_text(said, encoding="utf-8")
    return folder


@pytest.fixture
def home(trained, tmp_path):
    """A copy of it, for one test."""
    return open_project(copytree(trained, tmp_path / "project"))


@pytest.fixture
def released(home):
    """The linear model released, the tree put over it by hand, and rolled back."""
    first = propose(home, "linear", author="Ann")
    assert isinstance(first, Release)
    approve(first, reviewer="Bob", why="the first", project=home)
    second = propose(home, "decision_tree", author="Ann", override=True)
    assert isinstance(second, Release)
    approve(second, reviewer="Zoe", why="it can be printed", project=home)
    rollback(home, reviewer="Ida", why="complaints")
    return home, first, second


def test_the_card_of_a_run_that_was_never_released(home):
    facts = card_facts(home, "linear")
    assert facts.stage is None
    assert facts.findings is None
    assert facts.declared.license == "mit"
    assert facts.declared.contact == "ann@example.org"
    assert {one.column for one in facts.fairness} == {"region"}
    assert all(set(one.groups) == {"Coast", "East", "North", "South", "West"} for one in facts.fairness)
    text = write_card(home, "linear", home.path / "out" / "card.md").read_text(encoding="utf-8")
    assert 'license: "mit"' in text
    assert str(facts.scores["log_loss"]) in text
    assert "Nobody has reviewed it." in text
    assert str(home.path) not in text


def test_the_card_tells_what_was_found(home):
    run = card_facts(home, "decision_tree").record.id
    twins = Finding("twins", "40 rows twice", Where(), 40, Estimate(0.03, 0.02, 0.04), "share")
    save_findings(home.store, Findings((twins,), run, not_run=(("leak", "no model"),)))
    facts = card_facts(home, "decision_tree")
    assert [one.id for one in facts.left_open] == [twins.id]
    text = write_card(home, "decision_tree", home.path / "card.md").read_text(encoding="utf-8")
    assert "40 rows twice" in text
    assert "not looked for: leak, no model" in text


def test_the_card_by_the_name_of_a_release_and_of_its_run_is_one(released):
    home, first, _ = released
    by_release, by_run = card_facts(home, first.id), card_facts(home, first.run)
    assert by_release.stage == by_run.stage
    assert by_run.stage.standing is Standing.CHAMPION
    assert by_run.record.id == first.run == card_facts(home, "champion").record.id


def test_the_page_of_a_release_shows_its_evidence_and_the_champion_it_was_held_against(released):
    home, first, second = released
    page = write_release_page(home, second.id, home.path / "page.html").read_text(encoding="utf-8")
    assert str(second.difference) in page
    assert str(first.score) in page
    assert "Ann put it forward all the same" in page
    assert history(home).newest in page
    assert card_facts(home, second.id).held.release.id == first.id


def test_history_knows_who_rolled_back(released):
    home, first, second = released
    (back,) = history(home).rollbacks
    assert (back.left, back.to, back.by, back.why) == (second.id, first.id, "Ida", "complaints")
    assert isinstance(back, Rollback)
    assert back.at


@pytest.mark.parametrize(
    ("name", "begins"),
    [("h.svg", b"<svg"), ("h.png", b"\x89PNG"), ("h.json", b"{"), ("deep/h.html", b"<!doctype html>")],
)
def test_the_staircase_is_written_by_the_files_name(released, name, begins):
    home, *_ = released
    written = write_history(home, home.path / name)
    assert written == home.path / name
    assert written.read_bytes().startswith(begins)


def test_the_staircase_says_who(released):
    home, *_ = released
    drawn = write_history(home, home.path / "h.svg").read_text(encoding="utf-8")
    for words in ("overridden", "by Ann", "rolled back", "by Ida"):
        assert words in drawn


def test_wrong_questions(home, tmp_path):
    with pytest.raises(InputError, match=r"Nothing has passed the gate yet"):
        write_history(home, tmp_path / "h.svg")
    with pytest.raises(InputError, match=r"cannot be written as '\.pdf'"):
        write_history(home, tmp_path / "h.pdf")
    with pytest.raises(DecisionError, match="no release 'release-9'"):
        write_release_page(home, "release-9", tmp_path / "page.html")
    with pytest.raises(UnknownRunError):
        write_card(home, "lineal-9", tmp_path / "card.md")
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be written"):
        write_card(home, "linear", tmp_path / "file" / "card.md")
    assert not (tmp_path / "page.html").exists()
