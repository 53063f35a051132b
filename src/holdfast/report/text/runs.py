"""Runs, their scores and their costs for the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.curves import Confusion, Importance
from holdfast.core.estimate import Estimate
from holdfast.core.logged import Logged
from holdfast.core.report_facts import ReportFacts, Twins
from holdfast.core.run import Cost, RunRecord, Status
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, name, narrowing, pairs, stack, table
from holdfast.report.text.shapes import Answered

_STATUS_STYLES = {
    Status.RUNNING: "cyan",
    Status.FINISHED: "green",
    Status.FAILED: "red",
    Status.DEAD: "red",
}


def run(facts: ReportFacts) -> RenderableType:
    """The run that a report is about: what it is, what it scored, what it uses, how to make it again."""
    pictures = facts.pictures
    commands = "\n".join(f"  {command_lines(command)}" for command in facts.commands)
    return stack(
        record(replace(facts.record, scores={})),
        metrics(facts.scores, lower_is_better=facts.lower_is_better) if facts.scores else None,
        twins(facts.twins) if facts.twins is not None else None,
        confusion(pictures.confusion) if pictures.confusion is not None else None,
        importance(pictures.importance, most=10) if pictures.importance else None,
        _skipped(facts.skipped) if facts.skipped else None,
        stack(heading("How to make it again"), Text(commands)) if commands else None,
    )


def twins(shown: Twins) -> RenderableType:
    """What rows that equal another do to the score."""
    return stack(
        heading("Twins", words.twins(shown)),
        pairs([("all rows", str(shown.all_rows)), ("each set once", str(shown.each_once))]),
    )


def command_lines(command: str, width: int = 74) -> str:
    r"""A command that can be pasted as it is shown: lines of so many characters that go on with a backslash.

    >>> print(command_lines("holdfast train 'my file.csv' --target churn", 30))
    holdfast train 'my file.csv' \
          --target churn
    """
    lines = [""]
    try:
        parts = [shlex.quote(part) for part in shlex.split(command)]
    except ValueError:  # no command of ours
        parts = [command]
    for part in map(words.clean, parts):
        if lines[-1] and len(lines[-1]) + len(part) > width:
            lines.append("")
        lines[-1] += f" {part}" if lines[-1] else part
    return " \\\n      ".join(lines)


def _skipped(skipped: Sequence[tuple[str, str]]) -> RenderableType:
    rows = [(words.short(learner, 32), words.clean(why)) for learner, why in skipped]
    return stack(heading("Not fitted in this training"), pairs(rows))


def record(record: RunRecord) -> RenderableType:
    """One run: what it is, what it scored, what it cost."""
    plan = record.plan
    facts: list[tuple[str, str | Text]] = [
        ("status", Text(record.status, style=_STATUS_STYLES[record.status])),
        ("started", words.when(record.started)),
    ]
    if plan is not None:
        facts.append(
            ("learner", f"{plan.learner}, {words.metric(plan.loss)}, {words.count(plan.folds, 'fold')}")
        )
        facts += [("options", ", ".join(f"{k}={v}" for k, v in plan.options.items()))] if plan.options else []
    if record.weights:
        facts.append(("members", ", ".join(f"{name} {share:.0%}" for name, share in record.weights.items())))
    facts += [*_cost(record.cost), ("seed", str(record.seed)), ("data", record.dataset[:16])]
    facts += [("model", record.model[:16])] if record.model else []
    facts += [(name, fact) for name, fact in record.environment.items()]
    return stack(
        heading(record.id, f"training {record.training}"),
        pairs(facts),
        metrics(record.scores) if record.scores else None,
        Text("\n".join(words.clean(note) for note in record.notes)) if record.notes else None,
        Text("\n".join(words.clean(said) for said in record.warnings), style="bold yellow")
        if record.warnings
        else None,
    )


def decided(record: RunRecord) -> RenderableType:
    """What a run was given besides its fits, before and after: a calibration, a threshold, or neither."""
    return pairs([(record.id if i == 0 else "", note) for i, note in enumerate(record.notes)])


def logged(shown: Logged) -> RenderableType:
    """A run of the user's own training loop: metrics, files, and scores where it has predictions."""
    record = shown.record
    series = [
        (
            words.clean(name),
            words.score(one.last),
            "" if one.step is None else f"{one.step:,}",
            f"{one.count:,}",
        )
        for name, one in shown.series.items()
    ]
    columns = [left("logged", least=12), *(fixed(name, right=True) for name in ("last", "step", "values"))]
    files = [(name, words.size(size)) for name, size in shown.files.items()]
    return stack(
        heading(record.id, "logged by a training loop of your own"),
        pairs(
            [
                ("status", Text(record.status, style=_STATUS_STYLES[record.status])),
                ("started", words.when(record.started)),
            ]
        ),
        table(columns, series) if series else None,
        stack(heading("Files"), pairs(files)) if files else None,
        metrics(shown.scores, lower_is_better=shown.lower_is_better) if shown.scores else None,
    )


def _cost(cost: Cost) -> list[tuple[str, str]]:
    fit = f"{words.duration(cost.fit_seconds)} ({words.duration(cost.cpu_seconds)} of CPU), all folds"
    use = f"{words.moment(cost.predict_seconds)} per row in batches"
    if cost.row_seconds:
        use += f", {words.moment(cost.row_seconds)} for one row alone"
    return [("fitted in", fit), ("predicts in", use), ("size", words.size(cost.size))]


def runs(records: Sequence[RunRecord]) -> RenderableType:
    """A project's runs, one line each."""
    rows = [
        (
            record.id,
            Text(record.status, style=_STATUS_STYLES[record.status]),
            words.when(record.started).removesuffix(" UTC"),
            _first_score(record),
        )
        for record in records
    ]
    columns = [name("run"), fixed("status"), fixed("started"), left("score", least=20)]
    about = words.count(len(records), "run")
    return stack(heading("Runs", about), narrowing(columns, rows, spare=("started",)))


def _first_score(record: RunRecord) -> str:
    name = record.plan.metric if record.plan is not None else next(iter(record.scores), "")
    return f"{words.metric(name)} {record.scores[name]}" if name in record.scores else ""


def metrics(scores: Mapping[str, Estimate], *, lower_is_better: Set[str] | None = None) -> RenderableType:
    """Every metric with its interval, the rows it rests on and the method.

    With `lower_is_better`, the names of such metrics, each one's direction is shown.
    """
    columns = [
        left("metric", least=12),
        left("estimate", least=22),
        fixed("rows", right=True),
        left("interval by"),
    ]
    rows = [
        [words.metric(name), str(estimate), f"{estimate.n:,}", estimate.method if estimate.known else ""]
        for name, estimate in scores.items()
    ]
    if lower_is_better is not None:
        columns.insert(1, fixed("better"))
        for name, row in zip(scores, rows, strict=True):
            row.insert(1, "lower" if name in lower_is_better else "higher")
    levels = sorted({f"{estimate.level:.0%}" for estimate in scores.values()})
    about = f"{' and '.join(levels)} intervals" if levels else ""
    return stack(heading("Metrics", about), table(columns, rows))


def positive(label: str) -> RenderableType:
    """Which class is the positive one, under scores that depend on it."""
    return Text(f"The positive class is {label!r}.", style="dim")


def sealed(answer: Answered) -> RenderableType:
    """What sealed rows said of a run, and what the question cost."""
    cost = f"{words.count(answer.remaining, 'more answer')} of {answer.budget:,} may be asked of these rows"
    tied = (
        f"; {words.count(answer.tied, 'row')} left out for having an equal among the open ones"
        if answer.tied
        else ""
    )
    return stack(
        heading(f"Sealed rows on {answer.run}", words.count(answer.rows, "row") + tied),
        metrics(answer.scores),
        Text(f"Written into the ledger: {cost}."),
    )


def confusion(counts: Confusion, *, most: int = 12) -> RenderableType:
    """Rows of each class (down) by the class they were predicted as (across)."""
    names = [words.short(label, 14) for label in counts.classes[:most]]
    total = counts.counts.sum(axis=1)
    rows: list[list[str | Text]] = []
    for i, label in enumerate(names):
        cells = [
            Text(words.weight(n), style="bold" if i == j else "")
            for j, n in enumerate(counts.counts[i, :most])
        ]
        found = f"{counts.counts[i, i] / total[i]:.1%}" if total[i] else "no rows"
        rows.append([label, *cells, found])
    hidden = len(counts.classes) - len(names)
    about = "rows: the truth, columns: predicted" + (
        f"; {words.count(hidden, 'class')} not shown" if hidden > 0 else ""
    )
    columns = [left("true class"), *(fixed(label, right=True) for label in names), fixed("found", right=True)]
    return stack(heading("Confusion", about), table(columns, rows))


def importance(columns: Sequence[Importance], *, most: int = 20) -> RenderableType:
    """How much worse the metric gets when a column's cells are shuffled, most first."""
    ranked = sorted(columns, key=lambda c: c.drop.value if c.drop.known else float("-inf"), reverse=True)
    top = max((c.drop.value for c in ranked if c.drop.known), default=0.0)
    rows = [
        (words.short(c.column, 32), str(c.drop), Text(_bar(c.drop.value, top), style="cyan"))
        for c in ranked[:most]
    ]
    hidden = len(ranked) - len(rows)
    about = "loss of score when the column is shuffled" + (
        f"; {words.count(hidden, 'more column')}" if hidden > 0 else ""
    )
    return stack(heading("Importance", about), table([left("column"), fixed("drop"), fixed()], rows))


def _bar(value: float, top: float, width: int = 24) -> str:
    return "#" * round(width * value / top) if top > 0 and value > 0 else ""
