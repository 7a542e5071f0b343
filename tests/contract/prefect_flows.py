"""Flows of Prefect: `train` fits, and may fail or be killed, as it is told; `flaky` breaks down twice. `serve NAME` serves them."""

import os
import signal
import sys
import time

from prefect import flow, serve, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact


@task
def fit(seconds, epochs, fails):
    told = create_progress_artifact(progress=0.0, key="fit", description="epochs")
    for epoch in range(epochs):
        time.sleep(seconds / epochs)
        update_progress_artifact(artifact_id=told, progress=100.0 * (epoch + 1) / epochs)
    if fails:
        raise ValueError("There are no data.")


@flow
def train(*, seconds: float = 0, fails: bool = False, until: str = "", dies: bool = False, epochs: int = 4):
    if dies:
        os.kill(os.getpid(), signal.SIGKILL)
    fit(seconds, epochs, fails)


@flow(retries=1, retry_delay_seconds=4)
def flaky():
    raise RuntimeError("not yet")


if __name__ == "__main__":
    name = sys.argv[1]
    serve(train.to_deployment(name), flaky.to_deployment(name), limit=5)
