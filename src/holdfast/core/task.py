"""What is asked of a model."""

from __future__ import annotations

from enum import StrEnum


class Task(StrEnum):
    """The kind of question that a model answers.

    Binary classification is classification with two classes.
    """

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
