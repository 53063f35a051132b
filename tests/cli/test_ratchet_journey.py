"""The ratchet through the command line: debug, show, review, fix, guard, release, approve, history."""

from __future__ import annotations

import csv
import json
import re
import shutil

import pytest
from commands import holdfast

from holdfast.project import collect
from holdfast.project.handle import open_project
from holdfast.project.history import history

RUN = "lightgbm_small"


@pytest.fixture(scope="module")
def debugged(trained, tmp_path_factory):
    """A copy of the trained project in which one run was debugged."""
    folder = shutil.copytree(trained, tmp_path_factory.mktemp("debugged") / "project")
    said = holdfast("debug", RUN, cwd=folder)
    assert said.status == 0, said.err
    (folder / "debug.txt").write_text(said.out, encoding="utf-8")
    return folder


@pytest.fixture
def project(debugged, tmp_path):
    return shutil.copytree(debugged, tmp_path / "copy")


@pytest.fixture(scope="module")
def findings(debugged):
    said = holdfast("debug", RUN, "--json", cwd=debugged)
    assert said.status == 0, said.err
    return json.loads(said.out)


def answer(*words, cwd, status=0):
    said = holdfast(*words, "--json", cwd=cwd)
    assert said.status == status, said.err + said.out
    return json.loads(said.out)


def test_debug_lists_findings_as_the_issue_describes_them(findings, debugged):
    assert findings
    for one in findings:
        assert {"id", "kind", "where", "size", "effect", "share_of_loss", "fixes"} <= set(one)
        assert one["where"].keys() <= {"query", "examples", "column"}
        assert {"value", "low", "high", "level"} <= set(one["effect"])
    shares = [one["share_of_loss"] or 0 for one in findings if one["kind"] != "leak"]
    assert shares == sorted(shares, reverse=True)
    said = (debugged / "debug.txt").read_text(encoding="utf-8")
    assert all(one["id"] in said for one in findings)
    labels = next(one for one in findings if one["kind"] == "label errors")
    assert {"example", "score"} == set(labels["where"]["examples"][0])


def test_a_finding_is_shown_with_rows_and_with_what_could_be_done(findings, project):
    labels = next(one for one in findings if one["kind"] == "label errors")
    said = holdfast("show", labels["id"], cwd=project)
    assert said.status == 0
    worst = labels["examples"] or [one["example"] for one in labels["where"]["examples"]]
    assert worst[0] in said.out and "--with relabel" in said.out


def test_one_prediction_is_explained_column_by_column(findings, project):
    row = next(one for one in findings if one["where"].get("examples"))["where"]["examples"][0]["example"]
    told = answer("explain", RUN, row, cwd=project)
    moved = sum(one["effect"]["value"] for one in told["contributions"])
    assert moved == pytest.approx(told["value"] - told["base"]["value"], abs=1e-4)


def test_labels_are_reviewed_in_a_file_changed_by_a_fix_and_judged_blind(findings, project):
    labels = next(one for one in findings if one["kind"] == "label errors")["id"]
    assert "holdfast review labels" in holdfast("fix", labels, cwd=project).err
    holdfast("review", "labels", labels, "--export", "sheet.csv", cwd=project)
    rows = list(csv.DictReader((project / "sheet.csv").read_text(encoding="utf-8").splitlines()))
    assert {"example", "given", "suggested", "decision", "label"} <= set(rows[0])
    for place, row in enumerate(rows):
        row["decision"] = "change" if place < 3 else "keep"
    with (project / "sheet.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    said = answer("review", "labels", labels, "--import", "sheet.csv", "--as", "Ann", cwd=project)
    assert (said["changed"], said["kept"]) == (3, len(rows) - 3)
    waits = answer("fix", labels, "--with", "relabel", cwd=project, status=1)
    assert waits["outcome"] == "not proven" and "blind" in waits["why"] and waits["decision"] == 0
    blind = holdfast("review", "labels", waits["after"], "--export", "blind.csv", cwd=project)
    assert blind.status == 0
    header = (project / "blind.csv").read_text(encoding="utf-8").splitlines()[0]
    assert "given" not in header and "suggested" not in header


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("example,decision\nnobody,keep\n", "does not have"),
        ("example,decision\n{id},perhaps\n", "no decision"),
        ("example,label\n{id},purple\n", "no label of this data"),
        ("name,label\n{id},M\n", "no column example"),
        ("example,decision\n{id},keep\n{id},keep\n", "twice"),
    ],
)
def test_a_review_that_cannot_be_meant_so_is_one_clear_error(findings, project, call, text, words):
    labels = next(one for one in findings if one["kind"] == "label errors")
    example = labels["where"]["examples"][0]["example"]
    wrong = project / "wrong.csv"
    wrong.write_text(text.replace("{id}", example), encoding="utf-8")
    said = call("review", "labels", labels["id"], "--import", wrong, "--as", "Ann", "--project", project)
    assert said.status == 2 and words in said.err and len(said.err.splitlines()) == 1
    assert history(open_project(project)).decisions == 0


def test_labels_are_reviewed_in_the_terminal_until_one_stops(findings, project):
    labels = next(one for one in findings if one["kind"] == "label errors")["id"]
    said = holdfast("review", "labels", labels, "--as", "Ann", cwd=project, input="k\nc\nblue\ns\nq\n")
    assert said.status == 0, said.err
    assert "blue" in said.err and "labels to change  1" in said.out and "labels to keep    1" in said.out


def test_a_fix_a_guard_a_release_a_review_and_the_history(findings, project):
    any_finding = findings[0]["id"]
    proof = answer("fix", any_finding, "--with", "regularise", cwd=project, status=1)
    assert proof["outcome"] in ("not proven", "harmful") and proof["remaining"] == 19
    assert all(claim["sealed"] is None for claim in proof["claims"])
    assert proof["id"] in holdfast("show", proof["id"], cwd=project).out
    told = re.sub(r" \\\n +", " ", holdfast("show", proof["after"], cwd=project).out)
    lines = [line.strip() for line in told[told.index("How to make it again") :].splitlines()[2:]]
    assert f"--replay {proof['before']}" in lines[1] and "holdfast train" in lines[1]
    assert lines[2] == f"holdfast fix {proof['finding']} --with regularise --run {proof['before']}"
    holdfast("report", proof["after"], "--card", "-o", "fixed.md", cwd=project)
    assert "\n".join(lines) in (project / "fixed.md").read_text(encoding="utf-8")
    none = holdfast("guard", RUN, cwd=project)
    assert none.status == 0 and none.out.startswith(f"Guards on {RUN} ({RUN}-") and "[[guard]]" in none.out
    with (project / "holdfast.toml").open("a", encoding="utf-8") as toml:
        toml.write('\n[[guard]]\nname = "small"\nkind = "size"\nat_most = 0.0001\n')
    assert [one["status"] for one in answer("guard", RUN, cwd=project, status=1)] == ["failed"]
    no = answer("release", RUN, "--as", "Ann", cwd=project, status=1)
    assert no["guards"][0]["name"] == "small" and "score" not in no
    text = (project / "holdfast.toml").read_text(encoding="utf-8").replace("0.0001", "100.0")
    (project / "holdfast.toml").write_text(text, encoding="utf-8")
    release = answer("release", RUN, "--as", "Ann", cwd=project)
    page = project / f"{release['id']}.html"
    page.unlink()  # as if it was killed before it wrote the page
    assert answer("release", RUN, "--as", "Ann", cwd=project) == release
    assert page.is_file()
    approve = ("approve", release["id"], "--why", "it is better than nothing")
    assert "another person" in holdfast(*approve, "--as", "Ann", cwd=project).err
    assert answer(*approve, "--as", "Bob", cwd=project)["standing"] == "champion"
    again = holdfast(*approve, "--as", "Cleo", cwd=project)
    assert again.status == 2 and "cannot be decided again" in again.err
    wrong = holdfast("history", "-o", "stairs.bmp", cwd=project)
    assert wrong.status == 2 and wrong.out == "" and ".svg" in wrong.err
    told = holdfast("history", "-o", "stairs.svg", cwd=project)
    assert release["id"] in told.out and "1 candidate turned away" in told.out
    assert (project / "stairs.svg").read_text(encoding="utf-8").startswith("<svg")
    assert answer("show", "champion", cwd=project)["id"].startswith(RUN)
    card = holdfast("report", "champion", "--card", "-o", "card.md", cwd=project)
    assert card.status == 0 and (project / "card.md").read_text(encoding="utf-8").startswith("---\n")


def test_an_export_that_is_cut_says_so(findings, project, call, monkeypatch):
    labels = next(one for one in findings if one["kind"] == "label errors")
    fix = ("fix", labels["id"], "--with", "collect", "-o", project / "rows.csv", "--project", project)
    assert f"Wrote {labels['size']} rows to" in call(*fix).err
    monkeypatch.setattr(collect, "_MOST", 5)
    said = call(*fix)
    assert f"Wrote 5 of the {labels['size']} rows to" in said.err and "left the others out" in said.err
    assert len((project / "rows.csv").read_text(encoding="utf-8").splitlines()) == 6


def test_an_analysis_is_signed_with_its_limits(project):
    (project / "note.md").write_text("Newcomers leave because of the price.", encoding="utf-8")
    kept = answer(
        "review", "note.md", "--as", "Dora", "--why", "read it against the data",
        "--limits", "one region only", cwd=project,
    )  # fmt: skip
    assert kept["subject"] == "note.md" and kept["body"]["limits"] == "one region only"
    assert kept["body"]["hash"] and kept["number"] == 1


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("fix", "weak-slice-zzzz"), "No finding is called"),
        (("fix", "label", "--with", "magic"), "There is no fix 'magic'"),
        (("fix", "label", "--with", "drop-column"), "These do:"),
        (("show", "nothing-at-all"), "No run is called 'nothing-at-all', and no finding or proof."),
        (("show", "label-erors"), "Did you mean 'label-errors"),
        (("explain", RUN, "nobody"), "has no row 'nobody'"),
        (("approve", "release-zzzz", "--as", "Bob", "--why", "x"), "There is no release"),
        (("rollback", "--as", "Bob", "--why", "x"), "Nothing is released"),
        (("release", "nobody"), "No run is called"),
    ],
)
def test_a_question_that_is_wrong_is_one_line_and_status_2(debugged, call, words, part):
    said = call(*words, "--project", debugged)
    assert said.status == 2 and part in said.err and len(said.err.splitlines()) == 1
