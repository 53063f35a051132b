"""The command line in this process, where many calls are made; and a project to call it in."""

from __future__ import annotations

import pytest
from commands import QUICK, WIDTH, Said, holdfast

from holdfast.cli.main import main


@pytest.fixture
def call(capsys, monkeypatch, tmp_path):
    """`holdfast WORDS` in this process and in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", WIDTH)

    def called(*words):
        with pytest.raises(SystemExit) as end:
            main([str(word) for word in words])
        out, err = capsys.readouterr()
        return Said(int(end.value.code or 0), out, err)

    return called


@pytest.fixture(scope="session")
def trained(patients_csv, tmp_path_factory):
    """A folder that is a project with one training of three learners; read it, or copy it."""
    folder = tmp_path_factory.mktemp("trained")
    said = holdfast(
        "train", patients_csv, "--target", "diagnosis", "--learners", QUICK, "--folds", 3, "--budget", "90s",
        cwd=folder,
    )  # fmt: skip
    assert said.status == 0, said.err
    (folder / "said.txt").write_text(said.out, encoding="utf-8")
    return folder
