"""A new SQLite experiment and 100 metrics in mlflow; prints the seconds of the first, and of one metric."""

import os
import tempfile
import time

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
import mlflow

mlflow.set_tracking_uri(f"sqlite:///{tempfile.mkdtemp()}/mlflow.db")
started = time.perf_counter()
mlflow.set_experiment("bench")
with mlflow.start_run():
    mlflow.log_metric("loss", 1.0, step=0)
    created = time.perf_counter() - started
    started = time.perf_counter()
    for step in range(1, 101):
        mlflow.log_metric("loss", 1.0 / step, step=step)
    each = (time.perf_counter() - started) / 100
print(created, each)
