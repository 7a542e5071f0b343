"""Run in MLflow's environment: register versions 1 to 3 of "late-arrivals", each answering with its number; champion is 2."""

import sys
import time
from pathlib import Path

import mlflow

MODEL = Path(__file__).with_name("mlflow_model.py")

for number in ("1", "2", "3"):
    with mlflow.start_run():
        mlflow.pyfunc.log_model(
            name="model", python_model=str(MODEL), model_config={"version": number}, registered_model_name="late-arrivals"
        )
mlflow.MlflowClient().set_registered_model_alias("late-arrivals", "champion", "2")
Path(sys.argv[1]).touch()
time.sleep(60)  # whoever waits for the file ends this
