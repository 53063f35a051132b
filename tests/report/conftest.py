"""Made-up facts of the size and shape of real ones."""
# ruff: noqa: E501

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from holdfast.core.card import CardFacts, Declared, GroupRates
from holdfast.core.curves import (
    Confusion,
    Importance,
    Pictures,
    PrecisionRecall,
    Reliability,
    Residuals,
    Roc,
)
from holdfast.core.dataset import Check, Step
from holdfast.core.estimate import Estimate
from holdfast.core.finding import Finding, Findings, FixName, Where
from holdfast.core.leaderboard import Entry, Leaderboard
from holdfast.core.learner import Curve
from holdfast.core.plan import Plan, Treatment
from holdfast.core.proof import Claim, ClaimKind, ClaimStatus, Proof, ProofOutcome
from holdfast.core.release import GuardSaid, History, Refused, Release, Rollback, Stage, Standing
from holdfast.core.report_facts import DataFacts, Price, ReportFacts, Twins
from holdfast.core.run import Cost, RunRecord, Status
from holdfast.core.task import Task
from holdfast.core.verdict import Outcome, Verdict

HOSTILE = "<script>alert('x')</script>\x1b[31m\u202e[bold]evil[/]"

# name, score, half width, letters, outcome, seconds to fit, seconds to predict a row
_CHURN = [
    ("ensemble-91ab3c", 0.4102, 0.0118, "a", None, 0.4, 6.1e-5),
    ("catboost-4f2a91", 0.4108, 0.0120, "a", Outcome.EQUIVALENT, 12.3, 8.1e-6),
    ("mlp-77e0d2", 0.4131, 0.0117, "ab", Outcome.UNDECIDED, 21.9, 1.2e-5),
    ("lightgbm-0c93aa", 0.4139, 0.0121, "b", Outcome.WORSE, 4.2, 6.7e-6),
    ("lightgbm-deep-5b21c4", 0.4147, 0.0123, "bc", Outcome.WORSE, 6.8, 1.1e-5),
    ("xgboost-e41f09", 0.4155, 0.0122, "bc", Outcome.WORSE, 3.9, 5.9e-6),
    ("logistic-2d7b60", 0.4170, 0.0119, "c", Outcome.WORSE, 0.9, 3.2e-7),
    ("extra-trees-b01c77", 0.4251, 0.0117, "d", Outcome.WORSE, 5.5, 2.8e-5),
    ("random-forest-66fa31", 0.4262, 0.0126, "d", Outcome.WORSE, 6.1, 2.4e-5),
    ("tree-90cd12", 0.4419, 0.0131, "e", Outcome.WORSE, 0.2, 2.1e-7),
    ("constant-1f3e5a", 0.5790, 0.0101, "f", Outcome.WORSE, 0.01, 0.0),
]


def _board(rows, metric, margin, n, *, test="paired t"):
    best = rows[0][0]

    def against(name, score, outcome):
        if outcome is None:
            return None
        gap = score - rows[0][1]
        difference = Estimate(-gap, -gap - margin / 2, -gap + margin / 2, n=n, method=test)
        needed = 31_400 if outcome is Outcome.UNDECIDED else None
        p = {Outcome.WORSE: 0.0004, Outcome.EQUIVALENT: 0.62, Outcome.UNDECIDED: 0.071}[outcome]
        return Verdict(outcome, difference, p, margin, metric, test, needed, best, name)

    entries = tuple(
        Entry(
            name,
            Estimate(score, score - half, score + half, n=n, method=test),
            letters,
            against(name, score, outcome),
            Cost(fit, fit * 1.7, predict, predict * 6, int(2e6 * fit) + 900),
        )
        for name, score, half, letters, outcome, fit, predict in rows
    )
    corrected = Estimate(
        rows[0][1] * 1.004, rows[0][1] * 0.975, rows[0][1] * 1.034, n=n, method="bias-corrected CV"
    )
    return Leaderboard(
        metric, False, entries, best, rows[1][0],
        "the cheapest to run that is shown equivalent to the best", corrected,
        tuple(e.against_best for e in entries if e.against_best), n,
    )  # fmt: skip


def _runs(board, task):
    environment = {"python": "3.11.9", "holdfast": "0.1.0", "lightgbm": "4.7.0", "cores": "2"}
    steps = tuple(range(10, 410, 10))
    curves = tuple(
        Curve(
            steps,
            tuple(0.41 + 0.2 * np.exp(-np.array(steps) / 60) + 0.00004 * np.array(steps) + f / 300),
            210,
        )
        for f in range(5)
    )
    return tuple(
        RunRecord(
            entry.name, "train-0042", Plan(task, entry.name.rsplit("-", 1)[0], board.metric, board.metric, 5, 7),
            "9f31c2d4aa0b77e6", Status.FINISHED, "2026-05-04T09:12:33+00:00", model="c0ffee" * 5,
            cost=entry.cost, curves=curves if "boost" in entry.name else (),
            weights={"catboost-4f2a91": 0.6, "mlp-77e0d2": 0.4} if "ensemble" in entry.name else {},
            scores={board.metric: entry.score}, environment=environment, seed=7,
            notes=("calibration: not needed, log loss 0.4108 before and 0.4109 after",),
        )
        for entry in board.entries
    )  # fmt: skip


def _estimate(value, half, n=5634, method="Wilson"):
    return Estimate(value, value - half, value + half, n=n, method=method)


def _binary_pictures():
    rng = np.random.default_rng(3)
    probability = rng.beta(0.9, 2.3, 5634)
    truth = rng.random(5634) < probability
    grid = np.linspace(1, 0, 120)
    above = probability[None, :] >= grid[:, None]
    tpr = (above & truth).sum(1) / truth.sum()
    fpr = (above & ~truth).sum(1) / (~truth).sum()
    precision = (above & truth).sum(1) / np.maximum(above.sum(1), 1)
    precision[above.sum(1) == 0] = 1.0
    order = np.array_split(np.argsort(probability), 12)
    observed = np.array([truth[o].mean() for o in order])
    count = np.array([len(o) for o in order])
    half = 1.96 * np.sqrt(observed * (1 - observed) / count) + 0.004
    called = probability >= 0.5
    counts = np.array(
        [
            [(~called & ~truth).sum(), (called & ~truth).sum()],
            [(~called & truth).sum(), (called & truth).sum()],
        ]
    )
    names = ["Contract", "tenure", "MonthlyCharges", "InternetService", "TotalCharges", "PaymentMethod",
             "OnlineSecurity", "TechSupport", "PaperlessBilling", "gender"]  # fmt: skip
    return Pictures(
        Confusion(("No", "Yes"), counts),
        (Roc("Yes", fpr, tpr, grid, _estimate(0.848, 0.011, method="DeLong")),),
        (PrecisionRecall("Yes", tpr, precision, grid, _estimate(0.664, 0.022, method="bootstrap")),),
        (
            Reliability(
                "Yes", np.array([probability[o].mean() for o in order]), observed,
                np.maximum(observed - half, 0), np.minimum(observed + half, 1), count,
                _estimate(0.012, 0.009, method="debiased"), 0.011,
            ),
        ),
        importance=tuple(
            Importance(name, _estimate(0.062 * 0.55**i - 0.0004, 0.004 * 0.8**i)) for i, name in enumerate(names)
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def churn() -> ReportFacts:
    board = _board(_CHURN, "log_loss", 0.0082, 5634)
    scores = {
        "log_loss": board[board.recommended].score,
        "auc": _estimate(0.848, 0.011, method="DeLong"),
        "average_precision": _estimate(0.664, 0.022, method="stratified bootstrap"),
        "accuracy": _estimate(0.806, 0.010),
        "balanced_accuracy": _estimate(0.718, 0.013, method="multinomial bootstrap"),
        "f1": _estimate(0.602, 0.021, method="multinomial bootstrap"),
        "mcc": _estimate(0.479, 0.025, method="multinomial bootstrap"),
        "brier": _estimate(0.1352, 0.0044, method="t"),
        "precision": Estimate.absent("no row was predicted as positive", n=5634),
    }
    by_class = {
        "No": {"precision": _estimate(0.846, 0.011), "recall": _estimate(0.898, 0.009), "f1": _estimate(0.871, 0.007)},
        "Yes": {"precision": _estimate(0.661, 0.027), "recall": _estimate(0.552, 0.025), "f1": _estimate(0.602, 0.021)},
    }  # fmt: skip
    checks = (
        Check("missing", "note", "TotalCharges", "11 cells are blank; they are read as missing.", 11),
        Check("twins", "note", "", "22 rows equal another row in every feature; they share role and fold, and "
              "leaving them out would change log loss by less than 0.001.", 22),
        Check("id-like", "note", "customerID", "Every cell is different, so it is used as the id and not as a feature.", 7043),
        Check("leak", "warning", "churn_reason", "It alone tells 99.8 % of the targets; no model may look at what is "
              "written after the fact. To use it anyway: --role churn_reason=feature", 7043),
    )  # fmt: skip
    lineage = (
        Step("numbers from text", "TotalCharges", 7032, "blank means missing"),
        Step("one spelling per category", "PaymentMethod", 118, "'electronic check ' -> 'Electronic check'"),
    )
    data = DataFacts(
        "telco_churn.csv", "9f31c2d4aa0b77e6", 7043, 5634, 1409, 19, "Churn", Task.CLASSIFICATION, 5, None,
        {"No": 5174, "Yes": 1869}, checks, lineage,
    )  # fmt: skip
    return ReportFacts(
        "telco_churn.csv: Churn", "2026-05-04T09:14:02+00:00", "0.1.0", data, board,
        _runs(board, Task.CLASSIFICATION), board.recommended, scores, frozenset({"log_loss", "brier"}),
        by_class, _binary_pictures(), (("mlp-large", "its first fold would end after the budget"),),
        {"python": "3.11.9", "platform": "Linux x86_64", "cores": "2", "polars": "2.1.0", "lightgbm": "4.7.0",
         "catboost": "1.2.10", "onnxruntime": "1.31.1"},
        ("pip install 'holdfast[boost]==0.1.0'",
         "holdfast train telco_churn.csv --target Churn --budget 60s --seed 7",
         "holdfast train telco_churn.csv --target Churn --replay catboost-4f2a91"),
        Price(watts=12.0, per_kwh=0.31, per_core_hour=0.04, currency="EUR"),
        Twins(22, 11, "log_loss", board[board.recommended].score, _estimate(0.4127, 0.0121)),
    )  # fmt: skip


@pytest.fixture(scope="session")
def houses() -> ReportFacts:
    rows = [
        (name, 41_000 + (score - 0.41) * 900_000, half * 70_000, letters, outcome, fit, predict)
        for name, score, half, letters, outcome, fit, predict in _CHURN
    ]
    board = _board(rows, "rmse", 820.0, 16_512)
    rng = np.random.default_rng(5)
    prediction = np.exp(rng.normal(12, 0.5, 2000))
    residual = rng.normal(0, 0.2, 2000) * prediction
    names = ["median_income", "latitude", "longitude", "ocean_proximity", "housing_median_age"]
    pictures = Pictures(
        residuals=Residuals(prediction, residual, 16_512),
        importance=tuple(Importance(n, _estimate(30_000 * 0.5**i, 900.0)) for i, n in enumerate(names)),
    )
    scores = {
        "rmse": board.entries[1].score,
        "mae": _estimate(28_114.0, 410.0, 16_512, "t"),
        "r2": _estimate(0.874, 0.006, 16_512, "delta"),
        "mape": Estimate.absent("a target is 0", n=16_512),
    }
    data = DataFacts("california_housing.csv", "11aa22bb33cc", 20_640, 16_512, 4_128, 9,
                     "median_house_value", Task.REGRESSION, 5)  # fmt: skip
    return ReportFacts(
        "california_housing.csv: median_house_value", "2026-05-04T09:14:02+00:00", "0.1.0", data, board,
        _runs(board, Task.REGRESSION), board.recommended, scores, frozenset({"rmse", "mae", "mape"}),
        pictures=pictures, commands=("holdfast train california_housing.csv --target median_house_value",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def hostile(churn: ReportFacts) -> ReportFacts:
    """Facts whose every name from outside is an attack."""
    evil = f"{HOSTILE}{'x' * 300}"
    first = churn.leaderboard.entries[0]
    board = replace(
        churn.leaderboard,
        entries=(replace(first, name=evil), *churn.leaderboard.entries[1:]),
        best=evil,
        recommended=evil,
        reason=evil,
    )
    pictures = replace(
        churn.pictures,
        confusion=Confusion((evil, "\u202eno"), churn.pictures.confusion.counts),
        roc=(replace(churn.pictures.roc[0], label=evil),),
        importance=(Importance(evil, first.score),),
    )
    data = replace(
        churn.data,
        source=evil,
        target=evil,
        classes={evil: 1, "": 2},
        checks=(Check(evil, "warning", evil, evil, 1),),
        lineage=(Step(evil, evil, 1, evil),),
    )
    run = replace(churn.runs[0], id=evil, notes=(evil,), environment={evil: evil})
    return replace(
        churn, title=evil, data=data, leaderboard=board, runs=(run, *churn.runs[1:]), subject=evil,
        pictures=pictures, environment={evil: evil}, commands=(evil,), skipped=((evil, evil),),
        by_class={evil: dict(churn.scores)}, scores={evil: first.score},
    )  # fmt: skip


def _proof(text, n):
    def claim(kind, name, status, value, *, needed=None, sealed=True):
        estimate = _estimate(value, 0.02)
        return Claim(kind, name, status, estimate, estimate if sealed else None, 0.01, n, needed)

    claims = (
        claim(ClaimKind.TARGET, f"mean loss where {text}", ClaimStatus.IMPROVED, 0.0713),
        claim(ClaimKind.MAIN, text, ClaimStatus.HELD, 0.0021),
        claim(ClaimKind.SLICE, f"harmed {text}", ClaimStatus.HARMED, -0.0457),
        claim(ClaimKind.SLICE, f"undecided {text}", ClaimStatus.UNDECIDED, 0.0031, needed=2_315),
        claim(ClaimKind.SLICE, f"held {text}", ClaimStatus.HELD, 0.0029),
    )
    return Proof(
        "proof-aa11", f"weak-slice-{text}", FixName.CONTINUE, f"before {text}", f"after {text}",
        ProofOutcome.PROVEN, claims, 0.0025, text, changed=text, query=text,
    )  # fmt: skip


def _release(text, name, run, held, score, **more):
    return Release(
        name, run, held, "log_loss", False, _estimate(score, 0.012, 1409, "t"),
        Estimate(0.0141, 0.0032, 0.0250, 0.995, 1409, "paired t"), 0.0082, 1409, 0.0025,
        f"better than {text}", f"Ann {text}",
        (GuardSaid(f"newcomers {text}", "passed", f"0.61 where {text}"), GuardSaid("latency", "not run", "no model")),
        **more,
    )  # fmt: skip


@pytest.fixture(scope="session")
def card_of(churn: ReportFacts):
    """Makes the facts of a card in which every text from outside is the one given."""

    def made(
        text: str = "plain", *, standing: Standing = Standing.PROPOSED, price: Price | None = None
    ) -> CardFacts:
        run = f"run {text}"
        first = _release(text, "release-0001", f"before {text}", "", 0.4402)
        second = _release(
            text, "release-0002", run, first.run, 0.4261, fixes=("proof-aa11",), entry=2, remaining=14
        )
        decided = "" if standing is Standing.PROPOSED else f"Bob {text}"
        stage = Stage(second, standing, decided, "2026-05-06T10:00:00+00:00", f"because {text}")
        history = History(
            (Stage(first, Standing.CHAMPION, f"Bob {text}", "2026-05-04T10:00:00+00:00", f"first {text}"), stage),
            (Refused(f"no {text}", "2026-05-05T10:00:00+00:00", f"Ann {text}"),),
            (("proof-aa11", f"continue for {text}"),), 7, "c0ffee" * 5,
            (Rollback("release-0000", "release-0001", f"Zoe {text}", "2026-05-05T12:00:00+00:00", text),),
        )  # fmt: skip
        findings = Findings(
            (
                Finding("weak slice", f"Weak where {text}", Where(query=text), 371, _estimate(0.21, 0.05), f"of {text}", 0.123, 0.004),
                Finding("twins", f"200 rows {text}", Where(), 200, _estimate(0.03, 0.01), "share"),
            ),
            f"before {text}", not_run=((f"kind {text}", f"why {text}"),),
        )  # fmt: skip
        groups = {f"group {text}": _estimate(0.31, 0.03), "few": Estimate.absent("no rows")}
        plan = replace(
            churn.record.plan, options={f"option {text}": text}, treatment=Treatment("continue", text, text)
        )
        data = replace(
            churn.data, source=f"/home/ann/{text.replace('/', ' ')}.csv", target=f"target {text}", classes={text: 3, "No": 1},
            checks=(Check("leak", "warning", text, f"check {text}", 1),), lineage=(Step(f"step {text}", text, 5, text),),
        )  # fmt: skip
        record = replace(
            churn.record, id=run, plan=plan, notes=(f"note {text}",), warnings=(f"warning {text}",),
            environment={f"library {text}": text}, weights={f"member {text}": 1.0},
        )  # fmt: skip
        return CardFacts(
            title=text, created=churn.created, version=churn.version, data=data, record=record, history=history,
            stage=stage, scores=churn.scores, lower_is_better=churn.lower_is_better,
            by_class={f"class {text}": dict(churn.scores)},
            fairness=(GroupRates(f"column {text}", "tpr", groups, _estimate(0.07, 0.05), (f"small {text}",)),),
            guards=second.guards, fixes=(_proof(text, 88),), findings=findings,
            declared=Declared(text, text, f"use {text}\nmore {text}", f"limit {text}", text, text),
            training=Cost(30.0, 51.0), price=price, commands=(f"holdfast train {text}", f"replay {text}"),
        )  # fmt: skip

    return made
