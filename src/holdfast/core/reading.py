"""What a person says of a predictions file that the file does not say of itself."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.core.task import Task


@dataclass(frozen=True, slots=True)
class Reading:
    """The positive one of two classes, of which a lone probability is, and whether numbers are labels."""

    positive: str | None = None
    task: Task | None = None


AS_IT_SAYS = Reading()
