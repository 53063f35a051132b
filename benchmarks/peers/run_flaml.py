"""Train FLAML and write its test predictions: run in an environment of its own.

usage: run_flaml.py TRAIN TEST TARGET SECONDS OUTPUT
"""

import json
import sys
import time

import pandas as pd
from flaml import AutoML

train, test, target, seconds, output = sys.argv[1:]
rows, unseen = pd.read_csv(train), pd.read_csv(test)
numeric = rows[target].dtype.kind == "f" or rows[target].nunique() > 50
automl = AutoML()
started = time.perf_counter()
automl.fit(
    rows.drop(columns=[target]),
    rows[target],
    task="regression" if numeric else "classification",
    metric="rmse" if numeric else "log_loss",
    time_budget=float(seconds),
    n_jobs=2,
    verbose=0,
    seed=0,
)
fitted = time.perf_counter() - started
features = unseen.drop(columns=[target])
if numeric:
    table = pd.DataFrame({"prediction": automl.predict(features)})
else:
    names = [f"probability_{name}" for name in automl.classes_]
    table = pd.DataFrame(automl.predict_proba(features), columns=names)
table.to_csv(output, index=False)
print(json.dumps({"seconds": fitted}))
