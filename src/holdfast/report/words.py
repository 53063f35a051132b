"""How facts are worded and numbers written, the same in every face."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime

from holdfast.core.estimate import significant
from holdfast.core.leaderboard import Leaderboard
from holdfast.core.report_facts import Twins
from holdfast.core.verdict import Outcome, Verdict
from holdfast.core.wording import as_written
from holdfast.core.wording import count as count


def clean(text: str) -> str:
    r"""Text from outside, fit to be shown: control and direction marks become visible escapes.

    >>> print(clean("a\x1b[2Jb"), clean("Straße 5"))
    a\x1b[2Jb Straße 5
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def short(text: str, most: int = 40) -> str:
    """`clean` text of at most so many characters, the middle left out.

    >>> short("a_very_long_name_of_a_column", 15)
    'a_very_…_column'
    """
    shown = clean(text)
    if len(shown) <= most:
        return shown
    tail = (most - 1) // 2
    return f"{shown[: most - 1 - tail]}…{shown[len(shown) - tail :]}"


def metric(name: str) -> str:
    """A metric's name as people write it, fit to be shown."""
    return clean(as_written(name))


def direction(greater_is_better: bool) -> str:
    """Which way is better."""
    return "higher is better" if greater_is_better else "lower is better"


def duration(seconds: float) -> str:
    """Wall or CPU time.

    >>> duration(0.04), duration(12.34), duration(83), duration(7500)
    ('0.04 s', '12.3 s', '1 min 23 s', '2 h 05 min')
    """
    if not math.isfinite(seconds):
        return "unknown"
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def when(stamp: str) -> str:
    """A time of day to the minute, with its zone; anything else as it is.

    >>> when("2026-05-04T09:14:02+00:00"), when("yesterday")
    ('2026-05-04 09:14 UTC', 'yesterday')
    """
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M %Z").rstrip()
    except ValueError:
        return clean(stamp)


def moment(seconds: float) -> str:
    """The time that one row takes.

    >>> moment(8.14e-6), moment(0.0005214), moment(0.0)
    ('8.1 µs', '520 µs', '-')
    """
    if not seconds > 0:
        return "-"
    for unit, name in ((1e-9, "ns"), (1e-6, "µs"), (1e-3, "ms")):
        if seconds < 999.5 * unit:
            return f"{two_digits(seconds / unit)} {name}"
    return duration(seconds)


def two_digits(value: float) -> str:
    """A number of which two digits matter, never in powers of ten.

    >>> two_digits(0.01234), two_digits(12345.0), two_digits(7.0)
    ('0.012', '12,000', '7')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, 1 - math.floor(math.log10(abs(value))))
    text = f"{float(f'{value:.2g}'):,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def size(count: int) -> str:
    """A number of bytes.

    >>> size(0), size(812), size(1_240_000)
    ('0 B', '812 B', '1.2 MB')
    """
    scaled, names = float(count), iter(("B", "kB", "MB", "GB", "TB"))
    name = next(names)
    while scaled >= 999.5:
        scaled, name = scaled / 1000, next(names)
    return f"{count} B" if name == "B" else f"{two_digits(scaled)} {name}"


def amount(value: float, unit: str) -> str:
    """Money or energy, down to a thousandth of the unit.

    >>> amount(0.35123, "Wh"), amount(2e-7, "EUR"), amount(0, "EUR")
    ('0.35 Wh', '< 0.001 EUR', '0 EUR')
    """
    return f"{'< 0.001' if 0 < value < 0.001 else two_digits(value)} {clean(unit)}".rstrip()


def score(value: float) -> str:
    """A score without an interval, as progress lines show it."""
    return significant(value)


def p_value(p: float) -> str:
    """A p-value under a label that says so, never as 0.

    >>> p_value(0.0321), p_value(1e-9)
    ('0.032', '< 0.001')
    """
    return "< 0.001" if p < 0.001 else f"{p:.2g}"


def weight(total: float) -> str:
    """A number of rows, which weights may have made a fraction.

    >>> weight(1869.0), weight(12.25)
    ('1,869', '12.2')
    """
    return f"{total:,.0f}" if float(total).is_integer() else f"{total:,.1f}"


def roles(columns: Mapping[str, Sequence[str]], positive: str | None, most: int = 4) -> str:
    """Which columns are no ordinary feature (the target is told elsewhere), and the class of a decision.

    >>> roles({"target": ["Churn"], "id": ["customerID"], "ignored": list("abcdef")}, "Yes")
    'id customerID; ignored a, b, c, d and 2 more; positive class Yes'
    """
    told = []
    for role, names in columns.items():
        if role != "target":
            rest = f" and {len(names) - most:,} more" if len(names) > most else ""
            told.append(f"{role} {', '.join(short(name, 24) for name in names[:most])}{rest}")
    return "; ".join([*told, *([f"positive class {short(positive, 24)}"] if positive is not None else [])])


def twins(shown: Twins) -> str:
    """How many rows equal another, and the metric that says what they do to the score."""
    sets = count(shown.sets, "set")
    return f"{count(shown.rows, 'row')} in {sets} equal another in every feature; {metric(shown.metric)}"


def against_best(verdict: Verdict | None) -> str:
    """How a model stands to the best one, in a few words."""
    if verdict is None:
        return "best"
    if verdict.outcome is Outcome.EQUIVALENT:
        return "equivalent"
    if verdict.outcome is Outcome.UNDECIDED:
        return "undecided"
    return f"{verdict.outcome} {two_digits(abs(verdict.difference.value))}"


def verdict_sentence(verdict: Verdict) -> str:
    """A verdict as one sentence, the second model first."""
    second, first = clean(verdict.second), clean(verdict.first)
    on = f"on {metric(verdict.metric)}"
    return {
        Outcome.BETTER: f"{second} is better than {first} {on}.",
        Outcome.WORSE: f"{second} is worse than {first} {on}.",
        Outcome.EQUIVALENT: f"{second} and {first} are equivalent {on}: no difference that would matter.",
        Outcome.UNDECIDED: f"{second} and {first} are not told apart {on}.",
    }[verdict.outcome]


def evidence(verdict: Verdict) -> str:
    """What a verdict rests on, in one line."""
    p = p_value(verdict.p)
    p = p if p.startswith("<") else f"= {p}"
    parts = [f"p {p}", clean(verdict.test), f"margin {two_digits(verdict.margin)}"]
    if verdict.n_needed is not None:
        parts.append(f"about {verdict.n_needed:,} rows would tell")
    return "; ".join(parts)


def recommendation(board: Leaderboard) -> str:
    """The recommendation in one sentence."""
    entry = board[board.recommended]
    text = f"Use {clean(entry.name)}: {metric(board.metric)} {entry.score}"
    return f"{text} on {board.n:,} rows it was not trained on." if board.n else f"{text}."


def cheaper(board: Leaderboard) -> str:
    """How much less the recommended model costs to run than the best, or nothing to say."""
    best, chosen = board[board.best].cost, board[board.recommended].cost
    if board.best == board.recommended or not (best.predict_seconds > 0 and chosen.predict_seconds > 0):
        return ""
    ratio = best.predict_seconds / chosen.predict_seconds
    return (
        f"It takes {moment(chosen.predict_seconds)} per row, the best ({clean(board.best)}) "
        f"{moment(best.predict_seconds)}: {two_digits(ratio)} times as long."
    )


def reason(board: Leaderboard) -> str:
    """The recommendation's reason as a sentence; one that starts with a model's name keeps its case."""
    text = clean(board.reason).strip()
    if text and not any(text.startswith(clean(entry.name)) for entry in board.entries):
        text = text[0].upper() + text[1:]
    return text and text.rstrip(".") + "."
