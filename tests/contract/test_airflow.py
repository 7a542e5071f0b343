"""One suite for the fake Airflow and the real one: a start is one run, whatever is repeated, and a run is followed to its end."""

import time
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import pytest

from bot.connectors.airflow import make
from bot.connectors.orders import short
from bot.core.errors import ActionFailed, NotFound
from bot.core.jobs import Stage
from tests.contract import airflow_server
from tests.fakes.airflow import PASSWORD, FakeAirflow
from tests.fakes.loopback import serving

JOBS = {
    "retrain": {"dag": "train", "conf": {"until": "{until}"}},
    "long": {"dag": "train", "conf": {"seconds": 120}},
    "broken": {"dag": "train", "conf": {"fails": True}},
    "asleep": {"dag": "asleep"},
    "nowhere": {"dag": "nowhere"},
}
GIVEN = {"until": "2026-01-01", "model": "late arrivals"}


class Fake:
    def __init__(self, stack):
        self.url = stack.enter_context(serving(FakeAirflow().answer))

    def runs(self, run_id):
        return None


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def world(request, tmp_path_factory):
    with ExitStack() as stack:
        yield Fake(stack) if request.param == "fake" else airflow_server.Real(stack, tmp_path_factory.mktemp("airflow"))


@contextmanager
def connected(world, **more):
    made = make({"url": world.url, "jobs": JOBS, "username": "bot", "password": PASSWORD, "timeout": 20.0, **more})
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def jobs(world):
    with connected(world) as made:
        yield made


@pytest.fixture
def key():
    return f"run_playbook:{uuid4()}:train"


def ended(jobs, job, key):
    until, seen = time.monotonic() + 120, jobs.job(job, key)
    while seen.stage is Stage.RUNNING and time.monotonic() < until:
        time.sleep(0.2 if seen.words == "running" else 0.02)
        seen = jobs.job(job, key)
    return seen


def test_a_run_is_started_once_and_followed_to_its_end(world, jobs, key):
    before = jobs.job("retrain", key)
    jobs.start("retrain", GIVEN, key)
    jobs.start("retrain", GIVEN, key)

    assert before.stage is Stage.ABSENT
    assert ended(jobs, "retrain", key).stage is Stage.SUCCEEDED
    assert world.runs(short(key)) in (None, 1)


def test_a_run_that_fails_is_said_to_have_failed_and_at_which_task(jobs, key):
    jobs.start("broken", {}, key)
    seen = ended(jobs, "broken", key)

    assert (seen.stage, seen.words) == (Stage.FAILED, f"task 'train' failed in run {short(key)}")


def test_a_run_that_is_stopped_has_failed_and_may_be_stopped_again(jobs, key):
    jobs.start("long", {}, key)
    going = jobs.job("long", key)
    jobs.cancel("long", key)
    jobs.cancel("long", key)
    seen = jobs.job("long", key)

    assert going.stage is Stage.RUNNING
    assert (seen.stage, seen.words) == (Stage.FAILED, "stopped by aiops-bot")


def test_what_was_never_started_cannot_be_stopped_and_that_is_all(jobs, key):
    jobs.cancel("retrain", key)

    assert jobs.job("retrain", key).stage is Stage.ABSENT


def test_a_paused_dag_is_not_started(jobs, key):
    with pytest.raises(ActionFailed, match="'asleep' is paused"):
        jobs.start("asleep", {}, key)

    assert jobs.job("asleep", key).stage is Stage.ABSENT


def test_a_dag_that_is_not_there_is_said_so(jobs, key):
    with pytest.raises(NotFound, match="no DAG 'nowhere'"):
        jobs.start("nowhere", {}, key)


def test_a_wrong_password_is_said_so_and_not_repeated(world, key):
    with connected(world, password="wr0ng-one") as jobs, pytest.raises(ActionFailed, match="does not allow this") as raised:
        jobs.start("retrain", GIVEN, key)

    assert "wr0ng" not in str(raised.value)


def test_a_user_who_may_only_look_is_told_to_compare_the_role(world, key):
    with connected(world, username="eve") as jobs:
        with pytest.raises(ActionFailed, match="role"):
            jobs.start("retrain", GIVEN, key)

        assert jobs.job("retrain", key).stage is Stage.ABSENT


def test_a_token_that_no_longer_holds_is_asked_for_anew(jobs, key):
    jobs._token = "stale"
    jobs.start("retrain", GIVEN, key)

    assert jobs.job("retrain", key).stage is not Stage.ABSENT
