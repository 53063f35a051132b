"""The public names: few, real, and each explained in docs/api.md."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import holdfast as hf

API = Path(__file__).parents[1] / "docs" / "api.md"

PUBLIC = {
    "Comparison", "Dataset", "Estimate", "HoldfastError", "Leaderboard", "Metric", "Predictions", "Project",
    "Run", "Verdict", "approve", "compare", "compare_many", "debug", "evaluate", "explain", "find", "fix",
    "guard", "label_quality", "leaderboard", "load_model", "log", "open", "predict", "read", "release",
    "save_model", "train", "write_report",
}  # fmt: skip


def test_the_surface_is_exactly_this():
    assert set(hf.__all__) == PUBLIC
    assert len(hf.__all__) == len(set(hf.__all__)) <= 30


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_says_what_it_is(name):
    value = getattr(hf, name)
    assert value.__doc__
    assert name in dir(hf)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hf.nothing  # noqa: B018


def test_every_public_name_has_a_heading_in_the_docs():
    headings = re.findall(r"^#+ .*?`(?:hf\.)?(\w+)", API.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert set(headings) >= PUBLIC, PUBLIC - set(headings)
