"""Train AutoGluon and write its test predictions: run in an environment of its own.

usage: run_autogluon.py TRAIN TEST TARGET SECONDS PRESET OUTPUT
"""

import json
import sys
import tempfile
import time

import pandas as pd
from autogluon.tabular import TabularPredictor

train, test, target, seconds, preset, output = sys.argv[1:]
rows, unseen = pd.read_csv(train), pd.read_csv(test)
numeric = rows[target].dtype.kind == "f" or rows[target].nunique() > 50
started = time.perf_counter()
predictor = TabularPredictor(
    target,
    eval_metric="root_mean_squared_error" if numeric else "log_loss",
    path=tempfile.mkdtemp(),
    verbosity=1,
).fit(rows, time_limit=float(seconds), presets=preset, num_cpus=2)
fitted = time.perf_counter() - started
features = unseen.drop(columns=[target])
if numeric:
    table = pd.DataFrame({"prediction": predictor.predict(features)})
else:
    table = predictor.predict_proba(features).add_prefix("probability_")
table.to_csv(output, index=False)
print(json.dumps({"seconds": fitted}))
