"""The rules that keep the code small and layered. An exception is a line here with its reason."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "holdfast"
ROOT = Path(__file__).parents[1] / "src" / PACKAGE
FILES = sorted(ROOT.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}

# Who may import whom. All may import `errors`.
LAYERS: dict[str, set[str]] = {
    "errors": set(),
    "core": set(),
    "stats": set(),
    "metrics": {"core", "stats"},
    "data": {"core", "stats", "metrics"},
    "training": {"core", "stats", "metrics"},
    "comparison": {"core", "stats", "metrics"},
    "debugging": {"core", "stats", "metrics"},
    "promotion": {"core", "stats", "metrics"},
    "models": {"core", "stats"},
    "store": {"core"},
    "engine": {"core"},
    "report": {"core"},
    "project": {
        "core", "stats", "metrics", "data", "training", "comparison", "debugging", "promotion", "models",
        "store", "engine", "report",
    },
    "cli": {"project", "report", "core"},
    "sklearn": {"project", "report", "core"},
}  # fmt: skip

# What else a layer's modules may import outside the standard library; None: anything.
LIBRARIES: dict[str, set[str] | None] = {
    "errors": set(),
    "core": {"numpy", "polars"},
    "stats": {"numpy", "scipy"},
}

# The doors that load lazily: the public names; and a face that only names what it will call.
DOORS = {"__init__", "__main__", "cli.main"}

FILE_LINES, FUNCTION_LINES, PARAMETERS, CLASS_LINES = 300, 40, 6, 150
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}

# module:qualified name -> why it may have more parameters.
MANY_PARAMETERS: dict[str, str] = {
    "core.predictions:Predictions.of": "a keyword constructor: each array is one column of the waist",
    "cli.judge:compare": "the command line: one parameter per option",
    "cli.judge:evaluate": "the command line: one parameter per option",
    "cli.review:review": "the command line: one parameter per option",
    "cli.train:train": "the command line: one parameter per option",
    "data.read:read": "one keyword per role that a column can be given",
    "project.judge:compare": "the verb: one keyword per thing that a user may say",
    "project.train:train": "the verb: one keyword per thing that a user may say",
}
# module -> why it may be longer; module:name -> why a function or class may be.
LONG: dict[str, str] = {
    "cli.train:train": "the command line: most lines declare an option and its help",
    "project.train:train": "half of its lines are its keywords, the other half hand them on",
}
# module:name -> why a dataclass may change.
THAWED: dict[str, str] = {}


def module_of(path: Path) -> str:
    """`core.estimate` for .../holdfast/core/estimate.py; a package is its `__init__`'s name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


MODULES = {module_of(path): path for path in FILES}


def imported(node: ast.AST) -> Iterator[str]:
    """Absolute names that an import statement asks for, as deep as it says."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        for alias in node.names:
            deep = f"{node.module}.{alias.name}"
            yield deep if deep.removeprefix(f"{PACKAGE}.") in MODULES else str(node.module)


def at_module_level(tree: ast.Module) -> Iterator[ast.AST]:
    """Statements that run on import, `if TYPE_CHECKING:` left out."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        yield node
        waiting += ast.iter_child_nodes(node)


def defined(tree: ast.Module, kind: type | tuple[type, ...]) -> Iterator[tuple[str, ast.AST]]:
    """Definitions with their qualified names."""

    def inside(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            name = getattr(child, "name", None)
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if isinstance(child, kind):
                    yield f"{prefix}{name}", child
                yield from inside(child, f"{prefix}{name}.")
            else:
                yield from inside(child, prefix)

    return inside(tree, "")


FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


def code_lines(node: ast.AST, source: str) -> int:
    """Lines of a definition that hold code: no docstring, comment, blank line or nested definition."""
    skip: set[int] = set()
    for child in ast.walk(node):
        if isinstance(child, (*FUNCTION, ast.ClassDef)):
            first = child.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                skip.update(range(first.lineno, first.end_lineno + 1))
    lines: set[int] = set()
    silent = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len({n for n in lines if node.lineno <= n <= node.end_lineno} - skip)


def test_every_layer_imports_what_it_may_and_no_more():
    wrong = []
    for name, path in MODULES.items():
        layer = name.partition(".")[0]
        if name in DOORS:
            continue
        assert layer in LAYERS, f"{name} lies in no layer of the table"
        for node in ast.walk(TREES[path]):
            for target in imported(node):
                head, _, rest = target.partition(".")
                other = rest.partition(".")[0]
                if head == PACKAGE and other not in LAYERS[layer] | {layer, "errors", ""}:
                    wrong.append(f"{name} imports {target}")
    assert not wrong, wrong


@pytest.mark.parametrize("layer", LIBRARIES)
def test_the_lowest_layers_need_few_libraries(layer):
    import sys

    allowed = LIBRARIES[layer] | set(sys.stdlib_module_names) | {PACKAGE}
    wrong = [
        f"{name} imports {target}"
        for name, path in MODULES.items()
        if name.partition(".")[0] == layer
        for node in ast.walk(TREES[path])
        for target in imported(node)
        if target.partition(".")[0] not in allowed
        or (target.startswith("scipy") and target != "scipy.special")
    ]
    assert not wrong, wrong


def test_no_import_cycles():
    graph = {
        name: {
            target.removeprefix(f"{PACKAGE}.")
            for node in at_module_level(TREES[path])
            for target in imported(node)
            if target.startswith(f"{PACKAGE}.")
        }
        & (MODULES.keys() - {name})
        for name, path in MODULES.items()
    }
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in done:
            for target in sorted(graph[name]):
                visit(target, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


def test_no_import_of_our_own_package_inside_a_function():
    wrong = [
        f"{name}:{function} imports {target}"
        for name, path in MODULES.items()
        for function, node in defined(TREES[path], FUNCTION)
        for inner in ast.walk(node)
        for target in imported(inner)
        if target.partition(".")[0] == PACKAGE
    ]
    assert not wrong, wrong


def test_files_are_short():
    long = {
        name: n for name, path in MODULES.items() if (n := len(path.read_text().splitlines())) > FILE_LINES
    }
    assert long.keys() <= LONG.keys(), long


def test_functions_and_classes_are_short():
    long = {}
    for name, path in MODULES.items():
        source = path.read_text(encoding="utf-8")
        for kind, most in ((FUNCTION, FUNCTION_LINES), (ast.ClassDef, CLASS_LINES)):
            for what, node in defined(TREES[path], kind):
                if node.end_lineno - node.lineno >= most and (n := code_lines(node, source)) > most:
                    long[f"{name}:{what}"] = n
    assert long.keys() <= LONG.keys(), long


def test_functions_take_few_parameters():
    many = {}
    for name, path in MODULES.items():
        for what, node in defined(TREES[path], FUNCTION):
            given = [a.arg for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            n = len([a for a in given if a not in ("self", "cls")])
            if n > PARAMETERS:
                many[f"{name}:{what}"] = n
    assert many.keys() <= MANY_PARAMETERS.keys(), many


def test_nothing_is_passed_on_unnamed_and_no_default_is_shared():
    wrong = []
    for name, path in MODULES.items():
        for what, node in defined(TREES[path], FUNCTION):
            if node.args.kwarg is not None:
                wrong.append(f"{name}:{what} takes **{node.args.kwarg.arg}")
            defaults = (*node.args.defaults, *node.args.kw_defaults)
            shared = [default for default in defaults if isinstance(default, ast.List | ast.Dict | ast.Set)]
            wrong += [f"{name}:{what} has a mutable default" for _ in shared]
    assert not wrong, wrong


def test_every_dataclass_is_frozen():
    thawed = set()
    for name, path in MODULES.items():
        for what, node in defined(TREES[path], ast.ClassDef):
            for decorator in node.decorator_list:
                text = ast.unparse(decorator)
                if text.startswith(("dataclass", "dataclasses.dataclass")) and "frozen=True" not in text:
                    thawed.add(f"{name}:{what}")
    assert thawed <= THAWED.keys(), thawed


def test_no_file_is_named_for_what_it_is_not():
    assert not [name for name in MODULES if FORBIDDEN_NAMES & set(name.split("."))]


def test_no_mixins():
    wrong = [
        f"{name}:{what}"
        for name, path in MODULES.items()
        for what, node in defined(TREES[path], ast.ClassDef)
        if "mixin" in what.lower() or any("mixin" in ast.unparse(base).lower() for base in node.bases)
    ]
    assert not wrong, wrong


@pytest.mark.parametrize("table", [LONG, MANY_PARAMETERS, THAWED], ids=["long", "parameters", "thawed"])
def test_every_exception_has_a_reason_and_is_still_there(table):
    names = {
        name if not what else f"{name}:{what}"
        for name, path in MODULES.items()
        for what in ("", *(w for w, _ in defined(TREES[path], (*FUNCTION, ast.ClassDef))))
    }
    assert all(table.values())
    assert table.keys() <= names, table.keys() - names
