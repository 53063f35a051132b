"""The head of a model card: what a model hub reads and sorts by."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import PurePath

from holdfast.core.card import CardFacts
from holdfast.core.estimate import Estimate
from holdfast.core.release import Standing
from holdfast.core.task import Task
from holdfast.report import words
from holdfast.report.markdown import Yaml

# Our names of metrics -> the hub's, where they differ
_HUB = {"auc": "roc_auc", "r2": "r_squared", "mcc": "matthews_correlation", "brier": "brier_score"}
_TASKS = {Task.CLASSIFICATION: "tabular-classification", Task.REGRESSION: "tabular-regression"}


def head(facts: CardFacts) -> Mapping[str, Yaml]:
    """Licence, tags, data, metrics and results, in the order of the hub's own template."""
    said, task = facts.declared, _task(facts)
    made: dict[str, Yaml] = {}
    if said.license:
        made["license"] = said.license
    if said.language:
        made["language"] = [said.language]
    made["library_name"] = "holdfast"
    if task:
        made["pipeline_tag"] = task
    made["tags"] = _tags(facts)
    made["datasets"] = [_data(facts)]
    if metrics := [_HUB.get(name, name) for name, score in facts.scores.items() if _finite(score)]:
        made["metrics"] = metrics
    if results := _results(facts):
        made["model-index"] = [{"name": facts.record.id, "results": results}]
    return made


def _tags(facts: CardFacts) -> list[Yaml]:
    plan, stage = facts.record.plan, facts.stage
    tags: list[Yaml] = ["tabular", "holdfast"]
    if plan is not None:
        tags.append(plan.learner)
    if stage is not None and stage.standing is Standing.CHAMPION:
        tags.append("released")
    return tags


def _results(facts: CardFacts) -> list[Yaml]:
    """Out of fold on open rows; and on sealed rows, of what was put to the gate."""
    results: list[Yaml] = []
    if opened := [_metric(name, score) for name, score in facts.scores.items() if _finite(score)]:
        results.append(_result(facts, "open rows, out of fold", opened))
    if facts.stage is not None and _finite(facts.stage.release.score):
        release = facts.stage.release
        results.append(_result(facts, "sealed rows", [_metric(release.metric, release.score)]))
    return results


def _result(facts: CardFacts, split: str, metrics: list[Yaml]) -> Yaml:
    task = _task(facts) or "other"
    name = _data(facts)
    return {
        "task": {"type": task, "name": task.replace("-", " ")},
        "dataset": {"type": name, "name": name, "split": split, "revision": facts.data.id},
        "metrics": metrics,
    }


def _metric(name: str, score: Estimate) -> Yaml:
    shown = words.metric(name)
    if math.isfinite(score.low) and math.isfinite(score.high):
        shown += (
            f", {score.level:.0%} interval {score.low:.6g} to {score.high:.6g}, {words.count(score.n, 'row')}"
        )
    return {"type": _HUB.get(name, name), "value": float(f"{score.value:.6g}"), "name": shown}


def _finite(score: Estimate) -> bool:
    return math.isfinite(score.value)


def _task(facts: CardFacts) -> str:
    return "" if facts.data.task is None else _TASKS[facts.data.task]


def _data(facts: CardFacts) -> str:
    return PurePath(facts.data.source).name or facts.data.id[:12]
