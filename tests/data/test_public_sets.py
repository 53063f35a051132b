"""Public tables, read as an expert would read them. Skipped where they are not at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.schema import Kind, Role
from holdfast.core.task import Task
from holdfast.data.conform import conform
from holdfast.data.read import read

SETS = Path(__file__).parents[3] / "shared" / "data"
pytestmark = pytest.mark.skipif(not SETS.is_dir(), reason="the public sets are not on this machine")

# file, target, task, rows, and of each column that is no plain number its kind and role
EXPECTED = {
    "telco_churn/telco_churn.csv.gz": (
        "Churn", Task.CLASSIFICATION, 7043,
        {"customerID": "text id", "gender": "category", "Partner": "boolean", "Dependents": "boolean",
         "PhoneService": "boolean", "MultipleLines": "category", "InternetService": "category",
         "OnlineSecurity": "category", "OnlineBackup": "category", "DeviceProtection": "category",
         "TechSupport": "category", "StreamingTV": "category", "StreamingMovies": "category",
         "Contract": "category", "PaperlessBilling": "boolean", "PaymentMethod": "category"},
    ),
    "adult_income/train.csv.gz": (
        "class", Task.CLASSIFICATION, 32561,
        {"workclass": "category", "education": "category", "marital_status": "category",
         "occupation": "category", "relationship": "category", "race": "category", "sex": "category",
         "native_country": "category"},
    ),
    "credit_default/credit_default.csv.gz": (
        "default.payment.next.month", Task.CLASSIFICATION, 30000, {"ID": "text id"},
    ),
    "california_housing/housing.csv.gz": (
        "median_house_value", Task.REGRESSION, 20640, {"ocean_proximity": "category"},
    ),
    "titanic/titanic.csv": (
        "Survived", Task.CLASSIFICATION, 891,
        {"PassengerId": "text id", "Name": "text", "Sex": "category", "Ticket": "category",
         "Cabin": "category", "Embarked": "category"},
    ),
    "insurance_charges/insurance.csv": (
        "charges", Task.REGRESSION, 1338, {"sex": "category", "smoker": "boolean", "region": "category"},
    ),
    "covertype_sample/covtype_sample.csv.gz": ("Cover_Type", Task.CLASSIFICATION, 10000, {}),
    "heart_disease/heart_disease.csv": ("Disease", Task.CLASSIFICATION, 270, {}),
    "customer_personality/marketing_campaign.csv.gz": (
        "Response", Task.CLASSIFICATION, 2240,
        {"ID": "text id", "Education": "category", "Marital_Status": "category", "Dt_Customer": "date"},
    ),
    "online_retail/france.csv.gz": (
        None, None, 8557,
        {"InvoiceNo": "category", "StockCode": "category", "Description": "category", "InvoiceDate": "date",
         "CustomerID": "text group", "Country": "category"},
    ),
    "sms_spam/sms_spam_latin1.csv.gz": ("label", Task.CLASSIFICATION, 5572, {"text": "text"}),
    "airline_sentiment/airline_tweets.csv.gz": (
        "airline_sentiment", Task.CLASSIFICATION, 14640,
        {"tweet_id": "text group", "negativereason": "category", "airline": "category", "text": "text",
         "tweet_created": "date"},
    ),
    "payment_fraud/payment_fraud.csv.gz": (
        "label", Task.CLASSIFICATION, 39221, {"paymentMethod": "category"},
    ),
    "cookie_cats_ab/cookie_cats.csv.gz": (
        "retention_7", Task.CLASSIFICATION, 90189,
        {"userid": "text id", "version": "category", "retention_1": "boolean"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("file", EXPECTED)
def test_schema(file: str) -> None:
    target, task, rows, special = EXPECTED[file]
    data = read(SETS / file, target=target)
    assert len(data) == rows
    seen = {
        column.name: column.kind + (f" {column.role}" if column.role is not Role.FEATURE else "")
        for column in data.schema
        if column.name != target and column.kind is not Kind.NUMBER
    }
    assert seen == special
    if target is not None:
        assert data.schema.task is task
    assert all(column.why for column in data.schema)


def test_blank_charges_are_missing() -> None:
    data = read(SETS / "telco_churn/telco_churn.csv.gz", target="Churn")
    assert data.table["TotalCharges"].null_count() == 11
    assert [step.touched for step in data.lineage if step.column == "TotalCharges"] == [11]


def test_a_test_file_with_full_stops_after_its_labels() -> None:
    train = read(SETS / "adult_income/train.csv.gz", target="class")
    test, conformity = conform(SETS / "adult_income/test.csv.gz", train.schema)
    assert conformity.perfect
    assert set(test.target.unique()) == set(train.target.unique())
