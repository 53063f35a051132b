"""The model card, the reviewer's page and the staircase: facts gathered here, drawn in `report`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from holdfast import __version__
from holdfast.core.card import CardFacts, Declared, GroupRates
from holdfast.core.dataset import Dataset
from holdfast.core.finding import Findings
from holdfast.core.predictions import Predictions
from holdfast.core.proof import Proof
from holdfast.core.release import GuardSaid, Stage
from holdfast.core.run import Run
from holdfast.core.schema import Role
from holdfast.debugging.case import case_of
from holdfast.debugging.parts import parts_of
from holdfast.errors import InputError
from holdfast.metrics.by_group import gap_between, rate_names, rates_by_group
from holdfast.project.chain import carried, guards, proofs
from holdfast.project.guard import check_run
from holdfast.project.handle import Project
from holdfast.project.history import history, stage_named
from holdfast.project.judge import predictions_of
from holdfast.project.output import write_output
from holdfast.project.report import facts_of
from holdfast.project.runs import data_of, run_named
from holdfast.report.card import card
from holdfast.report.charts import save, staircase
from holdfast.report.release_page import history_page, release_page
from holdfast.store.findings import load_findings
from holdfast.store.settings import Settings

_BANDS = 4  # of a sensitive number: quarters
_DRAWN = (".svg", ".png", ".json")


def card_facts(project: Project, name: str) -> CardFacts:
    """Everything that is known of a model, by the name of its run or of its release.

    Sealed rows are not asked: their numbers are those that the gate gave when it was released.
    """
    past = history(project)
    stage = next((one for one in past.stages if one.release.id == name), None)
    run = run_named(project, name if stage is None else stage.release.run)
    if stage is None:
        stage = next((one for one in reversed(past.stages) if one.release.run == run.id), None)
    fixes = carried(proofs(project), run.id)
    facts = facts_of(project, run.id, pictures=False)
    dataset, _ = data_of(project, run.record)
    return CardFacts(
        title=facts.title,
        created=facts.created,
        version=facts.version,
        data=facts.data,
        record=facts.record,
        history=past,
        stage=stage,
        scores=facts.scores,
        lower_is_better=facts.lower_is_better,
        by_class=facts.by_class,
        fairness=group_rates(dataset, predictions_of(run)),
        guards=_guards(project, run, stage),
        fixes=fixes,
        findings=_findings(project, run, fixes),
        declared=_declared(project.settings),
        training=facts.total,
        price=facts.price,
        solo=project.settings.solo,
        commands=facts.commands,
    )


def write_card(project: Project, name: str, output: str | Path) -> Path:
    """Write the model card of a run or a release as Markdown; the path that was written."""
    return write_output(Path(output), card(card_facts(project, name)).encode())


def write_release_page(project: Project, release_id: str, output: str | Path) -> Path:
    """Write what a reviewer of that release needs on one HTML page; the path that was written."""
    stage_named(history(project).stages, release_id)  # says which there are
    return write_output(Path(output), release_page(card_facts(project, release_id)).encode())


def write_history(project: Project, output: str | Path) -> Path:
    """Write the staircase of releases as .svg, .png, .json or .html, by the file's name.

    InputError for another kind of file, and where nothing was put to the gate yet.
    """
    path, past = Path(output), history(project)
    suffix = path.suffix.lower()
    if suffix == ".html":
        return write_output(path, history_page(past, __version__).encode())
    if suffix not in _DRAWN:
        raise InputError(
            f"The history cannot be written as {suffix or path.name!r}; use .html, .svg, .png or .json."
        )
    with TemporaryDirectory() as folder:
        drawn = save(staircase(past), Path(folder) / f"history{suffix}").read_bytes()
    return write_output(path, drawn)


def group_rates(dataset: Dataset, predictions: Predictions) -> tuple[GroupRates, ...]:
    """Every rate in the groups of each column marked sensitive, on open rows, out of fold."""
    columns = [column for column in dataset.schema if column.role is Role.SENSITIVE]
    if not columns:
        return ()
    case = case_of(dataset, predictions)
    found: list[GroupRates] = []
    for column in columns:
        parts = parts_of(case.dataset.table[column.name], column, bands=_BANDS)
        names = np.array([*parts.names, None], dtype=object)
        groups = pl.Series(values=names[parts.code].tolist(), dtype=pl.String)
        rates = rates_by_group(case.predictions, groups)
        for rate in rate_names(case.predictions):
            gap = gap_between(case.predictions, groups, rate)
            of_groups = {group: of_group[rate] for group, of_group in rates.items()}
            found.append(GroupRates(column.name, rate, of_groups, gap.estimate, gap.undecided))
    return tuple(found)


def _guards(project: Project, run: Run, stage: Stage | None) -> tuple[GuardSaid, ...]:
    """As the gate heard them; for a run that was never released, as they come out now."""
    if stage is not None:
        return stage.release.guards
    return tuple(map(GuardSaid.of, check_run(project, run, guards(project))))


def _findings(project: Project, run: Run, fixes: tuple[Proof, ...]) -> Findings | None:
    """What was found in the run, else in the newest of those that it was made of."""
    for name in (run.id, *(proof.before for proof in reversed(fixes))):
        found = load_findings(project.store, name)
        if found is not None:
            return found
    return None


def _declared(settings: Settings) -> Declared:
    return Declared(
        license=settings.license.strip(),
        data_license=settings.data_license.strip(),
        intended_use=settings.intended_use.strip(),
        limits=settings.limits.strip(),
        contact=settings.contact.strip(),
        language=settings.language.strip(),
    )
