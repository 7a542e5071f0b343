"""Airflow as a platform of jobs, where it breaks down, lies, or is something else. What it does when it is well: tests/contract."""

import pytest

import bot.connectors
from bot.connectors.airflow import airflow, make
from bot.connectors.orders import short
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Stage
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unreached
from tests.fakes.airflow import PASSWORD, FakeAirflow
from tests.fakes.loopback import serving

START = ("POST", "/api/v2/dags/train/dagRuns")
LOOK = ("GET", f"/api/v2/dags/train/dagRuns/{short('run:1')}")
STOP = ("PATCH", LOOK[1])


def options(url, **more):
    jobs = {"retrain": {"dag": "train", "conf": {"until": "{until}", "deep": True}}}
    return {"url": url, "jobs": jobs, "username": "bot", "password": PASSWORD, "timeout": 2.0, **more}


@pytest.fixture
def fake():
    return FakeAirflow()


@pytest.fixture
def jobs(fake):
    with serving(fake.answer) as url:
        made = make(options(url))
        yield made
        made.close()


def test_it_is_found():
    assert discover(bot.connectors, ConnectorKind)["airflow"] is airflow


def test_an_order_is_said_in_words_without_asking_anybody(jobs, fake):
    assert jobs.order("retrain", {"until": "today"}) == "retrain: DAG train with deep True, until today"
    assert fake.calls == []


def test_a_parameter_that_is_missing_is_named(jobs):
    with pytest.raises(ConfigError, match="needs 'until'"):
        jobs.order("retrain", {})


def test_a_job_that_nobody_configured_is_refused(jobs):
    with pytest.raises(NotFound, match="no job 'scale'"):
        jobs.start("scale", {}, "run:1")


def test_a_start_carries_its_key_and_its_parameters(jobs, fake):
    jobs.start("retrain", {"until": "today"}, "run:1")

    assert fake.calls[-1][2] == {"dag_run_id": short("run:1"), "logical_date": None, "conf": {"until": "today", "deep": True}}


def test_many_calls_need_one_login(jobs, fake):
    jobs.start("retrain", {"until": "today"}, "run:1")
    jobs.job("retrain", "run:1")

    assert fake.logins == 1


def test_a_token_that_lapsed_is_renewed_once(jobs, fake):
    jobs.start("retrain", {"until": "today"}, "run:1")
    fake.forget_tokens()

    assert jobs.job("retrain", "run:1").stage is Stage.RUNNING
    assert fake.logins == 2


def test_a_token_of_ones_own_is_not_renewed(fake):
    fake.tokens["mine"] = "bot"
    with serving(fake.answer) as url:
        jobs = make(options(url, username="", password="", token="mine"))
        jobs.start("retrain", {"until": "today"}, "run:1")
        fake.forget_tokens()
        with pytest.raises(ActionFailed, match=r"does not allow this \(403\)"):
            jobs.job("retrain", "run:1")
        jobs.close()

    assert fake.logins == 0


@pytest.mark.parametrize("given", [{"token": "mine"}, {"password": ""}])
def test_there_is_one_way_in(given):
    with pytest.raises(ConfigError, match="`username` and `password`, or a `token`"):
        make(options("http://127.0.0.1:9", **given))


@pytest.mark.parametrize("name", ["../../etc", "a b", ""])
def test_a_name_that_is_no_dags_is_refused(name):
    with pytest.raises(ConfigError, match=r"jobs\.retrain\.dag"):
        make(options("http://127.0.0.1:9", jobs={"retrain": {"dag": name}}))


def test_a_start_over_which_airflow_breaks_down_is_read_back(jobs, fake):
    fake.instead[START] = 503, {}
    with pytest.raises(OutcomeUnknown, match="answered 503"):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("status", [400, 422])
def test_a_start_that_is_refused_has_failed(jobs, fake, status):
    fake.instead[START] = status, {}
    with pytest.raises(ActionFailed, match=f"answered {status}"):
        jobs.start("retrain", {"until": "today"}, "run:1")


def test_a_look_at_a_server_in_trouble_says_unknown(jobs, fake):
    fake.instead[LOOK] = 502, {}

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN


def test_a_server_that_is_gone_says_unknown_and_starts_nothing():
    jobs = make(options("http://127.0.0.1:9"))

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN
    with pytest.raises(Unreached):
        jobs.start("retrain", {"until": "today"}, "run:1")


@pytest.mark.parametrize("told", [{"state": "dreaming"}, {"state": ["success"]}, ["success"], {}, b"<html>"])
def test_a_state_that_airflow_does_not_know_is_no_success(jobs, fake, told):
    fake.instead[LOOK] = 200, told
    with pytest.raises(ActionFailed):
        jobs.job("retrain", "run:1")


@pytest.mark.parametrize("told", [{}, {"is_paused": "no"}, [], b"<html>"])
def test_what_is_no_airflow_starts_nothing(jobs, fake, told):
    fake.instead["GET", "/api/v2/dags/train"] = 200, told
    with pytest.raises(ActionFailed):
        jobs.start("retrain", {"until": "today"}, "run:1")

    assert fake.runs == {}


@pytest.mark.parametrize("told", [{"access_token": 5}, [], b"<html>"])
def test_what_gives_no_token_is_said_so(jobs, fake, told):
    fake.instead["POST", "/auth/token"] = 201, told
    with pytest.raises(ActionFailed, match=r"gave no token|did not answer with JSON"):
        jobs.job("retrain", "run:1")


def test_a_stop_that_is_refused_is_said_so(jobs, fake):
    jobs.start("retrain", {"until": "today"}, "run:1")
    fake.instead[STOP] = 400, {}
    with pytest.raises(ActionFailed, match="answered 400"):
        jobs.cancel("retrain", "run:1")


def broken(fake, jobs, told, status=200):
    """Let a run have failed, and Airflow tell this of its tasks; return what is said of it."""
    jobs.start("retrain", {"until": "today"}, "run:1")
    fake.runs["train", short("run:1")]["states"] = ["failed"]
    fake.instead["GET", f"{LOOK[1]}/taskInstances"] = status, told
    return jobs.job("retrain", "run:1")


def test_every_task_that_failed_is_named(jobs, fake):
    rows = [{"task_id": name} for name in ("load", "fit", "fit")]
    seen = broken(fake, jobs, {"task_instances": rows})

    assert (seen.stage, seen.words) == (Stage.FAILED, f"tasks 'fit', 'load' failed in run {short('run:1')}")


@pytest.mark.parametrize("told", [{}, [], {"task_instances": 5}, {"task_instances": [5, {"task_id": 5}, {}]}, b"<html>"])
def test_a_failure_is_one_even_where_its_tasks_cannot_be_read(jobs, fake, told):
    seen = broken(fake, jobs, told)

    assert (seen.stage, seen.words) == (Stage.FAILED, f"run {short('run:1')} ended with 'failed'")


def test_a_failure_is_one_even_where_its_tasks_may_not_be_asked_for(jobs, fake):
    assert broken(fake, jobs, {"detail": "Forbidden"}, status=403).words == f"run {short('run:1')} ended with 'failed'"
