"""A run as a Probe: the models of its folds, asked about open rows as they are or changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from types import TracebackType
from typing import cast

import numpy as np
import polars as pl

from holdfast.core.dataset import Dataset
from holdfast.core.labels import positive_of
from holdfast.core.learner import Curve
from holdfast.core.places import places_in
from holdfast.core.plan import Plan
from holdfast.core.predictions import Predictions
from holdfast.core.probe import Probe
from holdfast.core.run import Run, RunRecord
from holdfast.core.split import Split
from holdfast.core.work import Engine, Work
from holdfast.engine.local import LocalEngine
from holdfast.errors import EngineError, FindingError
from holdfast.models.tabular.served import TabularModel, with_decision
from holdfast.project.candidates import ESTIMATOR, planned
from holdfast.project.fitting import PRELOAD
from holdfast.project.fold_models import fold_model
from holdfast.project.handle import Project
from holdfast.project.runs import data_of, run_named
from holdfast.training.fold import FoldFit, fit_fold, fold_key, fold_seed
from holdfast.training.outcome import Rows, gather, out_of_fold
from holdfast.training.schedule import roles_id

_WORK = f"{fit_fold.__module__}:{fit_fold.__name__}"
_SECONDS = 10.0  # of CPU time that one training of a probe should take
_ROWS, _FEWEST_ROWS = 20_000, 4_000  # that it is fitted on: at most, and at least where there are so many


@dataclass(frozen=True, eq=False)
class RunProbe(AbstractContextManager["RunProbe"]):
    """A run of a project that answers new questions; use it with `with`, which ends its workers."""

    project: Project
    run: Run
    dataset: Dataset
    split: Split

    @property
    def name(self) -> str:
        """The run's id."""
        return self.run.id

    @property
    def learner(self) -> str:
        """What `refitted` fits."""
        return self._plan.learner

    @property
    def affordable(self) -> int:
        """As many rows as the run's own training took ten seconds for, between 4,000 and 20,000."""
        seconds = self._fitted.cost.cpu_seconds
        each = seconds / max(int(self.split.open.sum()), 1)
        return _ROWS if each * _ROWS <= _SECONDS else max(int(_SECONDS / each), _FEWEST_ROWS)

    def held_out(self, rows: Dataset) -> Predictions:
        """Each row predicted by a model whose training rows lack it."""
        return self._asked(rows, lambda fold: fold)

    def trained(self, rows: Dataset) -> Predictions:
        """Each row predicted by a model that was fitted on it."""
        return self._asked(rows, lambda fold: (fold + 1) % self.split.folds)

    def refitted(self, rows: Dataset, *, share: float = 1.0, seed: int = 0) -> Predictions:
        """Out-of-fold predictions of `learner`, fitted afresh on these rows and columns."""
        fold = self._folds_of(rows)
        plan = replace(self._plan, seed=seed)
        drawn = np.random.default_rng(seed).random(len(rows)) < share
        split = Split(
            self.split.role[self._places(rows)], fold, np.zeros(len(rows), dtype=bool),
            self.split.folds, self.split.salt, self.split.share,
        )  # fmt: skip
        classes = self._model.manifest.classes
        learner = planned(replace(plan, decision=""), classes).learner
        engine, works = self._engine, []
        shared, roles = engine.share(rows), f"{roles_id(split)}/{share}"
        for k in range(split.folds):
            fitted_on = np.where(drawn | (fold == k), fold, -1)
            arguments = (learner, shared, fitted_on, k, classes, fold_seed(plan, k))
            works.append(Work(fold_key(plan, rows.id, roles, k), _WORK, arguments))
        judged = Rows.of(rows, split, classes, positive_of(classes))
        output = gather(judged, _done(engine, works))
        return out_of_fold(judged, output, threshold=None, model=f"{plan.learner} refitted")

    def fold_model(self, fold: int) -> TabularModel:
        """The model that did not see a fold, decided as the whole is."""
        return self._models[fold]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "_engine" in self.__dict__:
            self._engine.close()

    @cached_property
    def _engine(self) -> Engine:
        return LocalEngine(preload=PRELOAD)

    @cached_property
    def _fitted(self) -> RunRecord:
        """The run itself; of a mix the heaviest member that trains in seconds, else the quickest."""
        weights = self.run.record.weights
        if not weights:
            return self.run.record
        all_members = [run_named(self.project, name).record for name in weights]
        again = [one for one in all_members if one.plan and ESTIMATOR not in one.plan.options]
        members = again or all_members
        quick = [one for one in members if one.cost.cpu_seconds <= _SECONDS]
        if quick:
            return max(quick, key=lambda one: weights[one.id])
        return min(members, key=lambda one: one.cost.cpu_seconds)

    @property
    def _plan(self) -> Plan:
        plan = self._fitted.plan
        assert plan is not None  # what a mix is made of was planned, and `probe_of` has looked at the run
        return plan

    @cached_property
    def _model(self) -> TabularModel:
        model = self.run.model
        assert isinstance(model, TabularModel)  # `probe_of` has looked
        return model

    @cached_property
    def _models(self) -> list[TabularModel]:
        """One model for each fold, which did not see it, decided as the whole is."""
        roles, manifest = roles_id(self.split), self._model.manifest
        models = []
        for k in range(self.split.folds):
            model = fold_model(self.project, self.run.record, k, roles)
            if model is None:
                raise FindingError.folds_gone(self.run.id)
            models.append(
                with_decision(model, temperature=manifest.temperature, threshold=manifest.threshold)
            )
        return models

    def _places(self, rows: Dataset) -> np.ndarray:
        """Where the rows are in the run's dataset, int64 of shape (n,)."""
        places = places_in(self.dataset.example, rows.example)
        if (places < 0).any():
            raise FindingError("A probe is asked about rows that its run's dataset has; some are not in it.")
        return places

    def _folds_of(self, rows: Dataset) -> np.ndarray:
        return np.asarray(self.split.fold[self._places(rows)])

    def _asked(self, rows: Dataset, which: Callable[[np.ndarray], np.ndarray]) -> Predictions:
        fold = which(self._folds_of(rows))
        parts, places = [], []
        for k, model in enumerate(self._models):
            inside = np.flatnonzero(fold == k)
            if len(inside):
                parts.append(model.predict(rows.take(inside)))
                places.append(inside)
        order = np.argsort(np.concatenate(places), kind="stable")
        table = pl.concat([part.table for part in parts])[order]
        return replace(parts[0], table=table).named(self.name)


def probe_of(project: Project, run: Run, dataset: Dataset, split: Split) -> RunProbe | None:
    """The run as a probe; None where it has no plan, or no model of our own, that could be asked."""
    if run.record.plan is None or not isinstance(run.model, TabularModel):
        return None
    return RunProbe(project, run, dataset, split)


def asked(project: Project, run: Run) -> AbstractContextManager[Probe | None]:
    """The run as a probe for as long as it is asked; None where it has no model of our own."""
    return probe_of(project, run, *data_of(project, run.record)) or nullcontext()


def _done(engine: Engine, works: list[Work]) -> list[FoldFit]:
    for work in works:
        engine.submit(work)
    found = {}
    for _ in works:
        done = engine.wait(None)
        assert done is not None  # there is no timeout
        if done.error:
            raise EngineError(f"A probe could not fit its model again: {done.error}")
        files, output, curve = cast("tuple[Mapping[str, bytes], np.ndarray, Curve]", done.value)
        found[done.key] = FoldFit(files, output, curve, done.seconds, done.cpu_seconds)
    return [found[work.key] for work in works]
