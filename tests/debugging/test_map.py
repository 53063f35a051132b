"""The folder's first page names every file, and which of them are kinds of findings."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from holdfast import debugging
from holdfast.project import debug

FOLDER = Path(debugging.__file__).parent
NAMED = re.findall(r"^    (\w+)  |`(\w+)`", debugging.__doc__ or "", re.MULTILINE)


def test_every_file_has_a_place_on_the_map():
    named = {first or second for first, second in NAMED}
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert files <= named
    assert {name for name in named if "." not in name} - files == set()


def test_the_kinds_on_the_map_are_those_that_debug_looks_for():
    page = (debugging.__doc__ or "").split("\n\n")[1]
    kinds = set(re.findall(r"^    (\w+)  ", page, re.MULTILINE))
    tree = ast.parse(Path(debug.__file__).read_text(encoding="utf-8"))
    imported = {
        node.module.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("holdfast.debugging.")
    }
    assert kinds == imported


def test_a_kind_is_one_public_function_of_the_files_name():
    page = (debugging.__doc__ or "").split("\n\n")[1]
    for kind in re.findall(r"^    (\w+)  ", page, re.MULTILINE):
        tree = ast.parse((FOLDER / f"{kind}.py").read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert kind in functions
