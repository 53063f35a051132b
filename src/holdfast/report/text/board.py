"""Leaderboards and verdicts for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from holdfast.core.leaderboard import Entry, Leaderboard
from holdfast.core.verdict import Verdict
from holdfast.report import words
from holdfast.report.text.frame import fixed, heading, left, name, narrowing, of_outcome, pairs, stack, table
from holdfast.report.text.shapes import Compared

_MOST_PAIRS = 28  # of eight models


def leaderboard(board: Leaderboard) -> RenderableType:
    """Models from best to worst, with the best and the recommended one marked, and why."""
    about = f"{words.metric(board.metric)}, {words.direction(board.greater_is_better)}"
    if board.n:
        about += f"; {words.count(board.n, 'row')}, out of fold"
    columns = [
        fixed(),
        name("run"),
        fixed("score"),
        fixed("tied"),
        fixed("against best"),
        fixed("fit", right=True),
        fixed("per row", right=True),
    ]
    rows = [_row(board, entry, rank) for rank, entry in enumerate(board.entries, 1)]
    return stack(
        heading("Leaderboard", about),
        narrowing(columns, rows, spare=("fit", "per row", "tied")),
        _conclusion(board),
        Text("\n".join(map(words.clean, board.notes)), style="dim") if board.notes else None,
        pairs([("!", Text(words.clean(said), style="bold yellow")) for said in board.warnings])
        if board.warnings
        else None,
    )


def _row(board: Leaderboard, entry: Entry, rank: int) -> list[str | Text]:
    styles = [
        "bold" if entry.name == board.best else "",
        "green" if entry.name == board.recommended else "",
    ]
    mark = ("*" if entry.name == board.best else "") + (">" if entry.name == board.recommended else "")
    verdict = entry.against_best
    stands = words.against_best(verdict)
    return [
        f"{rank}{mark}",
        Text(words.clean(entry.name), style=" ".join(filter(None, styles))),
        str(entry.score),
        entry.letters,
        stands if verdict is None else of_outcome(stands, verdict.outcome),
        words.duration(entry.cost.fit_seconds),
        words.moment(entry.cost.predict_seconds),
    ]


def _conclusion(board: Leaderboard) -> RenderableType:
    best = board[board.best]
    rows: list[tuple[str, str | Text]] = [("* best", f"{best.name}  {best.score}")]
    if board.corrected.known:
        rows.append(("", f"{board.corrected} with the luck of having been picked removed"))
    rows.append(("> recommended", f"{board.recommended}  {words.reason(board)}".rstrip()))
    undecided = [e.against_best.n_needed for e in board.entries if e.against_best and e.against_best.n_needed]
    if undecided:
        rows.append(
            ("  undecided", f"{max(undecided):,} rows would settle every undecided pair with the best")
        )
    return pairs(rows)


def verdict(verdict: Verdict) -> RenderableType:
    """Two models compared: the sentence, the difference, and what it rests on."""
    return stack(
        of_outcome(words.verdict_sentence(verdict), verdict.outcome),
        pairs(
            [
                ("difference", f"{verdict.difference}  (positive: {verdict.second} is better)"),
                ("p", words.p_value(verdict.p)),
                ("margin", f"{words.two_digits(verdict.margin)}: a smaller difference would not matter"),
                ("test", f"{verdict.test}; {words.count(verdict.difference.n, 'row')}"),
                *(
                    [
                        (
                            "rows needed",
                            f"about {verdict.n_needed:,} to detect a difference of the margin's size",
                        )
                    ]
                    if verdict.n_needed is not None
                    else []
                ),
            ]
        ),
    )


def comparison(compared: Compared) -> RenderableType:
    """Several models ranked, with letters for ties, and the verdicts when they are few enough to read."""
    about = f"{words.metric(compared.metric)}, {words.direction(compared.greater_is_better)}"
    rows = [
        (str(rank), name_, str(score), letters)
        for rank, (name_, score, letters) in enumerate(
            zip(compared.names, compared.scores, compared.letters, strict=True), 1
        )
    ]
    columns = [fixed(right=True), name("model"), fixed("score"), left("tied")]
    few = len(compared.verdicts) <= _MOST_PAIRS
    return stack(
        heading("Comparison", f"{about}; {words.count(compared.n, 'row')}"),
        table(columns, rows),
        verdicts(compared.verdicts) if few else None,
        Text(_tally(compared.verdicts), style="dim"),
    )


def verdicts(pairs_: Sequence[Verdict]) -> RenderableType:
    """Pairs of models, the decided ones first."""
    order = {"better": 0, "worse": 0, "equivalent": 1, "undecided": 2}
    rows = [
        (
            v.second,
            of_outcome(v.outcome, v.outcome),
            v.first,
            str(v.difference),
            words.p_value(v.p),
            words.two_digits(v.margin),
            "" if v.n_needed is None else f"{v.n_needed:,}",
        )
        for v in sorted(pairs_, key=lambda v: (order[v.outcome], v.p))
    ]
    columns = [name("model"), fixed("is"), name("than / to"), fixed("difference"), fixed("p")]
    columns += [fixed("margin"), fixed("rows needed", right=True)]
    return narrowing(columns, rows, spare=("rows needed", "margin"))


def _tally(pairs_: Sequence[Verdict]) -> str:
    counts = Counter("decided" if v.outcome in ("better", "worse") else str(v.outcome) for v in pairs_)
    told = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("decided", "equivalent", "undecided"))
    tests = ", ".join(sorted({words.clean(v.test) for v in pairs_}))
    return (
        f"{words.count(len(pairs_), 'pair')}: {told}. {tests}; p corrected for all pairs (Holm).\n"
        "Models that share a letter are not told apart."
    )
