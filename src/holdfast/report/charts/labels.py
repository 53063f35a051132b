"""Where to write the names of points so that they can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_LETTER, _LINE = 6.4, 13.0  # pixels that a letter and a line of 11 px text take
_GAP = 9.0


@dataclass(frozen=True, slots=True)
class Spot:
    """A point in pixels, the ends of its vertical bar, and its name."""

    x: float
    y: float
    top: float
    bottom: float
    name: str


@dataclass(frozen=True, slots=True)
class Side:
    """Where a name stands relative to its point."""

    align: str
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


_SIDES = tuple(
    Side(align, dx, dy)
    for dy in (0.0, -11.0, 11.0, -22.0, 22.0)
    for align, dx in (("left", _GAP), ("right", -_GAP))
)


def place(spots: Sequence[Spot], *, width: float, height: float) -> tuple[Side, ...]:
    """A side for each name, chosen greedily in the given order to overlap as little as it can."""
    marks = [_Box(s.x - 5, s.y - 5, s.x + 5, s.y + 5) for s in spots]
    bars = [_Box(s.x - 2, s.top, s.x + 2, s.bottom) for s in spots]
    taken: list[_Box] = []
    chosen: list[Side] = []
    for spot in spots:
        boxes = [_written(spot, side) for side in _SIDES]
        costs = [
            8 * sum(map(box.overlap, taken))
            + 8 * sum(map(box.overlap, marks))
            + sum(map(box.overlap, bars))
            + 20 * _outside(box, width, height)
            + 2 * abs(side.dy)
            for box, side in zip(boxes, _SIDES, strict=True)
        ]
        at = costs.index(min(costs))
        taken.append(boxes[at])
        chosen.append(_SIDES[at])
    return tuple(chosen)


def _written(spot: Spot, side: Side) -> _Box:
    length = _LETTER * len(spot.name)
    left = spot.x + side.dx if side.align == "left" else spot.x + side.dx - length
    middle = spot.y + side.dy
    return _Box(left, middle - _LINE / 2, left + length, middle + _LINE / 2)


def _outside(box: _Box, width: float, height: float) -> float:
    return max(-box.left, 0) + max(box.right - width, 0) + max(-box.top, 0) + max(box.bottom - height, 0)
