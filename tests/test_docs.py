"""The examples in the documentation run, in their order, as they are printed.

Each page is one namespace in an empty folder; a block that starts with ```python no-run is left out.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast.core.guard import GuardKind, fields_of
from holdfast.store.settings import Settings, parse

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "page", ["README.md", *sorted(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
)
def test_the_examples_run(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (ROOT / page).read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.finditer(r"^```python\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL):
        line = text[: block.start(1)].count("\n")
        exec(compile("\n" * line + block[1], str(ROOT / page), "exec"), names)


def settings_in(text: str) -> list[Settings]:
    """What the blocks that start with ```toml say, as a project reads them."""
    blocks = re.findall(r"^```toml\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return [parse(block, Path("holdfast.toml")) for block in blocks]


@pytest.mark.parametrize("page", ["README.md", "docs/concepts.md", "docs/api.md", "docs/guards.md"])
def test_the_settings_in_the_documentation_can_be_read(page):
    for settings in settings_in((ROOT / page).read_text(encoding="utf-8")):
        assert settings != Settings()


@pytest.mark.parametrize("kind", GuardKind)
def test_every_kind_of_guard_has_an_example_and_all_its_fields_in_the_documentation(kind):
    page = (ROOT / "docs" / "guards.md").read_text(encoding="utf-8")
    sections = re.findall(rf"^## {kind}$(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL)
    assert len(sections) == 1
    (settings,) = settings_in(sections[0])
    assert {guard.kind for guard in settings.guards} == {kind}
    assert f"| [`{kind}`](#{kind}) |" in page
    for field in fields_of(kind):
        # Nobody writes a power by hand: a proof measures it.
        assert f"| `{field}` |" in sections[0] or field == "power"
