"""The command `holdfast`. A verb's module is imported when it is called, so that help is instant."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Annotated

import typer

from holdfast import __version__
from holdfast.errors import HoldfastError, InputError

# 0 is done and 1 a "no", so that a fault is taken for neither (70: EX_SOFTWARE of sysexits.h)
_WRONG_QUESTION, _FAULT = 2, 70

# verb -> ("module:function", one line of help), in the order of the loop
VERBS = {
    "train": ("holdfast.cli.train:train", "Train models on a table and prove which is best."),
    "leaderboard": ("holdfast.cli.judge:leaderboard", "Rank the models, with intervals and honest ties."),
    "show": ("holdfast.cli.look:show", "One run, finding or proof in full."),
    "report": ("holdfast.cli.look:report", "Write one self-contained HTML page for a colleague."),
    "compare": ("holdfast.cli.judge:compare", "Compare runs or predictions files, paired."),
    "debug": ("holdfast.cli.debug:debug", "Find what is wrong with a model and its data."),
    "explain": ("holdfast.cli.debug:explain", "Why a run answers as it does on one row."),
    "review": ("holdfast.cli.review:review", "Decide on suspect labels, or sign an analysis."),
    "fix": ("holdfast.cli.debug:fix", "Answer a finding, and prove the fix on sealed rows."),
    "guard": ("holdfast.cli.promote:guard", "Hold a model against every guard."),
    "release": ("holdfast.cli.promote:release", "Put a run to the gate, and to a reviewer if it passes."),
    "approve": ("holdfast.cli.promote:approve", "A reviewer's yes: the release becomes the champion."),
    "reject": ("holdfast.cli.promote:reject", "A reviewer's no, with the reason."),
    "rollback": ("holdfast.cli.promote:rollback", "Make an earlier release the champion again."),
    "history": ("holdfast.cli.promote:history", "Every release, what it fixed, and who signed it."),
    "predict": ("holdfast.cli.predict:predict", "Predict the rows of a file, in their order."),
    "evaluate": ("holdfast.cli.judge:evaluate", "All metrics of a run or a predictions file."),
    "runs": ("holdfast.cli.look:runs", "List the runs of this project."),
    "demo": ("holdfast.cli.demo:demo", "The whole job on simulated data with known faults."),
}


def app(asked: str | None) -> typer.Typer:
    """The command line with the verb that is `asked` for loaded, and the others by their help line."""
    cli = typer.Typer(
        no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
    )
    cli.callback(invoke_without_command=True, help="Holdfast trains models that only get better.")(_root)
    for verb, (target, line) in VERBS.items():
        cli.command(verb, help=line)(_load(target) if verb == asked else _elsewhere)
    return cli


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line. A mistake in the question is one clear message and exit status 2."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    asked = next((word for word in words if not word.startswith("-")), None)
    try:
        app(asked)(words, prog_name="holdfast")
    except HoldfastError as error:
        _fail(error.command)
    except BrokenPipeError:  # `holdfast runs | head`: the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception:
        traceback.print_exc()
        typer.echo(
            "error: this is a fault of Holdfast, not of yours. Please report the lines above.", err=True
        )
        sys.exit(_FAULT)


def _root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    if version:
        typer.echo(f"holdfast {__version__}")
        raise typer.Exit


def _load(target: str) -> Callable[..., None]:
    module, _, name = target.partition(":")
    verb: Callable[..., None] = getattr(import_module(module), name)
    return verb


def _elsewhere() -> None:
    raise InputError("This verb was not loaded.")  # the table above loads whatever is asked for


def _fail(message: str) -> None:
    typer.echo(f"error: {' '.join(message.splitlines())}", err=True)
    sys.exit(_WRONG_QUESTION)
