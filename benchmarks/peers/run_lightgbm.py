"""LightGBM with its defaults, categories as pandas categories: what people try first.

usage: run_lightgbm.py TRAIN TEST TARGET OUTPUT
"""

import json
import sys
import time

import lightgbm
import pandas as pd

train, test, target, output = sys.argv[1:]
rows, unseen = pd.read_csv(train), pd.read_csv(test)
numeric = rows[target].dtype.kind == "f" or rows[target].nunique() > 50
both = pd.concat([rows, unseen]).drop(columns=[target])
for name in both.columns:
    if both[name].dtype.kind not in "biuf":
        both[name] = both[name].astype("category")
features, unseen_features = both.iloc[: len(rows)], both.iloc[len(rows) :]
started = time.perf_counter()
kind = lightgbm.LGBMRegressor if numeric else lightgbm.LGBMClassifier
model = kind(n_jobs=2, verbose=-1).fit(features, rows[target])
fitted = time.perf_counter() - started
if numeric:
    table = pd.DataFrame({"prediction": model.predict(unseen_features)})
else:
    names = [f"probability_{name}" for name in model.classes_]
    table = pd.DataFrame(model.predict_proba(unseen_features), columns=names)
table.to_csv(output, index=False)
print(json.dumps({"seconds": fitted}))
