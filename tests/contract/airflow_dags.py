"""A DAGs folder of Airflow: `train` sleeps and may fail, as its conf says; `asleep` is paused."""

import time

import pendulum
from airflow.sdk import DAG, task

START = pendulum.datetime(2026, 1, 1)

with DAG("train", schedule=None, start_date=START, is_paused_upon_creation=False):

    @task
    def train(**context):
        conf = context["dag_run"].conf
        time.sleep(float(conf.get("seconds", 0)))
        if conf.get("fails"):
            raise ValueError("There are no data.")

    train()

with DAG("asleep", schedule=None, start_date=START, is_paused_upon_creation=True):

    @task
    def nothing():
        """Do nothing."""

    nothing()
