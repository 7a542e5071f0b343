"""One suite for the fake Prefect and the real one: a start is one run, whatever is repeated, and a run is followed to its end."""

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager
from uuid import uuid4

import httpx
import pytest

from bot.connectors.orders import short
from bot.connectors.prefect import make
from bot.connectors.prefect.deployments import Way
from bot.core.errors import ActionFailed, NotFound
from bot.core.jobs import Stage
from tests.contract import prefect_server
from tests.fakes.loopback import serving
from tests.fakes.prefect import PASSWORD, FakePrefect

NIGHTLY = {"deployment": "train/nightly"}
JOBS = {
    "retrain": {**NIGHTLY, "parameters": {"until": "{until}"}},
    "long": {**NIGHTLY, "parameters": {"seconds": 40, "epochs": 40}},
    "broken": {**NIGHTLY, "parameters": {"fails": True}},
    "killed": {**NIGHTLY, "parameters": {"dies": True}},
    "counted": {**NIGHTLY, "parameters": {"epochs": "{epochs}"}},
    "misspelt": {**NIGHTLY, "parameters": {"epoch": 3}},
    "flaky": {"deployment": "flaky/nightly"},
    "pooled": {"deployment": "train/pooled"},
    "doomed": {"deployment": "train/doomed", "parameters": {"seconds": 100}},
    "nowhere": {"deployment": "train/nowhere"},
}
GIVEN = {"until": "2026-01-01", "model": "late arrivals"}
UNHEARD = "the work pool 'pool' has not asked for work for a minute or more"


class Fake:
    def __init__(self, stack):
        self.fake = FakePrefect(csrf=True)
        self.url = stack.enter_context(serving(self.fake.answer))

    def runs(self, key):
        return int(key in self.fake.runs)

    def pause(self, what, paused):
        self.fake.paused[what] = paused


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with ExitStack() as stack:
        yield prefect_server.Real(stack, tmp_path_factory.mktemp("prefect"))


@pytest.fixture(scope="module", params=["fake", pytest.param("real", marks=pytest.mark.slow)])
def world(request):
    with ExitStack() as stack:
        yield Fake(stack) if request.param == "fake" else request.getfixturevalue("real")


@contextmanager
def connected(world, **more):
    made = make({"url": world.url, "jobs": JOBS, "username": "bot", "password": PASSWORD, "timeout": 20.0, **more})
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def jobs(world):
    with connected(world) as made:
        yield made


@pytest.fixture
def key():
    return f"run_playbook:{uuid4()}:train"


@contextmanager
def paused(world, what):
    world.pause(what, True)
    try:
        yield
    finally:
        world.pause(what, False)


def until(jobs, job, key, found, within=60):
    """Look until what is looked for is seen; return what was seen last."""
    end, seen = time.monotonic() + within, jobs.job(job, key)
    while not found(seen) and seen.stage is Stage.RUNNING and time.monotonic() < end:
        time.sleep(0.05)
        seen = jobs.job(job, key)
    return seen


def ended(jobs, job, key):
    return until(jobs, job, key, lambda seen: seen.stage is not Stage.RUNNING)


def test_a_run_is_started_once_and_followed_to_its_end(world, jobs, key):
    before = jobs.job("retrain", key)
    jobs.start("retrain", GIVEN, key)
    jobs.start("retrain", GIVEN, key)
    seen = ended(jobs, "retrain", key)

    assert before.stage is Stage.ABSENT
    assert (seen.stage, seen.words) == (Stage.SUCCEEDED, f"run {short(key)} ended as 'Completed'")
    assert world.runs(short(key)) == 1


def test_a_run_that_goes_on_says_at_which_task_it_is_and_how_far_that_is(jobs, key):
    jobs.start("long", {}, key)
    seen = until(jobs, "long", key, lambda seen: "%" in seen.words and "task" in seen.words and ", epochs 0 %" not in seen.words)
    jobs.cancel("long", key)

    assert seen.stage is Stage.RUNNING
    assert seen.words.startswith(f"run {short(key)} runs: task 'fit-")
    assert ", epochs " in seen.words


def test_a_run_that_fails_is_said_to_have_failed_at_which_task_and_why(jobs, key):
    jobs.start("broken", {}, key)
    seen = ended(jobs, "broken", key)

    assert seen.stage is Stage.FAILED
    assert seen.words.startswith("task 'fit-")
    assert seen.words.endswith(f"' failed in run {short(key)}: ValueError: There are no data.")


def test_a_run_whose_process_is_killed_has_failed(jobs, key):
    jobs.start("killed", {}, key)
    seen = ended(jobs, "killed", key)

    assert seen.stage is Stage.FAILED
    assert seen.words.startswith(f"run {short(key)} ended as 'Crashed': Process exited with status code: -9.")


def test_a_run_that_is_tried_again_goes_on_until_the_last_try(jobs, key):
    jobs.start("flaky", {}, key)
    between = until(jobs, "flaky", key, lambda seen: "again" in seen.words)
    seen = ended(jobs, "flaky", key)

    said = f"run {short(key)} broke down and will be tried again: RuntimeError: not yet"
    assert (between.stage, between.words) == (Stage.RUNNING, said)
    assert (seen.stage, seen.words) == (Stage.FAILED, f"run {short(key)} ended as 'Failed': RuntimeError: not yet")


def test_a_run_that_is_stopped_has_failed_and_may_be_stopped_again(jobs, key):
    jobs.start("long", {}, key)
    going = until(jobs, "long", key, lambda seen: "task" in seen.words)
    jobs.cancel("long", key)
    jobs.cancel("long", key)
    seen = ended(jobs, "long", key)
    jobs.cancel("long", key)

    assert going.stage is Stage.RUNNING
    assert seen.stage is Stage.FAILED
    assert seen.words == f"run {short(key)} ended as 'Cancelled': Flow run was cancelled successfully."


def test_a_run_for_which_there_is_no_worker_says_so_and_is_stopped_at_once(jobs, key):
    jobs.start("pooled", {}, key)
    waiting = jobs.job("pooled", key)
    jobs.cancel("pooled", key)
    seen = jobs.job("pooled", key)

    assert waiting.stage is Stage.RUNNING
    assert waiting.words == f"run {short(key)} waits for a worker; {UNHEARD}"
    assert (seen.stage, seen.words) == (Stage.FAILED, f"run {short(key)} ended as 'Cancelled'")


def test_what_was_never_started_cannot_be_stopped_and_that_is_all(jobs, key):
    jobs.cancel("retrain", key)

    assert jobs.job("retrain", key).stage is Stage.ABSENT


@pytest.mark.parametrize(("what", "said"), [("pool", "the work pool 'pool'"), ("queue", "the work queue of 'train/pooled'")])
def test_where_a_run_would_wait_for_ever_none_is_started(world, jobs, key, what, said):
    with paused(world, what):
        with pytest.raises(ActionFailed, match=f"because {said} is paused; resume that in Prefect"):
            jobs.start("pooled", {}, key)

        assert jobs.startable("pooled").paused == f"{said} is paused"
    assert world.runs(short(key)) == 0


def test_who_would_carry_a_job_out_is_said_without_starting_it(jobs):
    assert jobs.startable("retrain") == Way("the process that serves it", paused="", silent="")
    assert jobs.startable("pooled") == Way("the work pool 'pool'", paused="", silent=UNHEARD)


def test_a_deployment_that_is_not_there_is_said_so(jobs, key):
    with pytest.raises(NotFound, match="no deployment 'train/nowhere'"):
        jobs.start("nowhere", {}, key)


def test_a_number_of_a_playbook_reaches_the_flow_as_a_number(jobs, key):
    jobs.start("counted", {"epochs": "2"}, key)

    assert ended(jobs, "counted", key).stage is Stage.SUCCEEDED


def test_a_parameter_of_the_wrong_type_starts_nothing_and_is_no_repetition(world, jobs, key):
    with pytest.raises(ActionFailed, match=r"'train/nightly' with these parameters: .*'many' is not of type 'integer'"):
        jobs.start("counted", {"epochs": "many"}, key)

    assert world.runs(short(key)) == 0


def test_a_parameter_that_the_flow_does_not_take_starts_nothing(world, jobs, key):
    with pytest.raises(ActionFailed, match="takes no parameter 'epoch'; it takes: dies, epochs, fails, seconds, until"):
        jobs.start("misspelt", {}, key)

    assert world.runs(short(key)) == 0


@pytest.mark.parametrize("way_in", [{"password": "wr0ng-one"}, {"username": "", "password": "", "api_key": "wr0ng-key"}])
def test_who_is_not_let_in_is_told_so(world, key, way_in):
    with connected(world, **way_in) as jobs, pytest.raises(ActionFailed, match=r"does not allow this \(401\)") as raised:
        jobs.start("retrain", GIVEN, key)

    assert "wr0ng" not in str(raised.value)


def test_a_token_against_forged_requests_that_no_longer_holds_is_asked_for_anew(jobs, key):
    jobs._api._seal = "stale"
    jobs.start("retrain", GIVEN, key)

    assert jobs.job("retrain", key).stage is not Stage.ABSENT


@contextmanager
def holding(world):
    """A way to Prefect on which the answer to a start does not come back; yields its URL and when that answer was given."""
    given, over = threading.Event(), threading.Event()

    def pass_on(method, path, query, body, headers):
        kept = {name: value for name, value in headers.items() if name.startswith("prefect-") or name == "authorization"}
        url = f"{world.url.removesuffix('/api')}{path}"
        answer = httpx.request(method, url, params=query, json=body, headers=kept, trust_env=False, timeout=20)
        if path.endswith("create_flow_run") and answer.is_success:
            given.set()
            over.wait(30)
        return answer.status_code, answer.json()

    with serving(pass_on) as url:
        yield url, given
        over.set()


@pytest.mark.slow
def test_a_bot_that_dies_between_its_start_and_the_answer_finds_the_one_run_again(world, jobs, key):
    with holding(world) as (url, given):
        dying = subprocess.Popen([sys.executable, "-m", "tests.contract.prefect_server", url, key])
        reached = given.wait(30)
        dying.kill()
        dying.wait()
    found = jobs.job("retrain", key)
    jobs.start("retrain", GIVEN, key)

    assert reached
    assert found.stage is not Stage.ABSENT
    assert ended(jobs, "retrain", key).stage is Stage.SUCCEEDED
    assert world.runs(short(key)) == 1


@pytest.mark.slow
def test_a_run_waits_for_a_worker_and_is_carried_out_when_one_comes(real, key):
    with connected(real) as jobs:
        jobs.start("pooled", {}, key)
        with real.worked():
            seen = ended(jobs, "pooled", key)
            startable = jobs.startable("pooled")

    assert seen.stage is Stage.SUCCEEDED
    assert startable.keeps == ""


@pytest.mark.slow
def test_a_run_whose_machine_died_is_not_called_ended_and_says_that_nobody_is_there(real, key):
    with connected(real) as jobs:
        with real.served("doomed") as pull_the_plug:
            jobs.start("doomed", {}, key)
            until(jobs, "doomed", key, lambda seen: "task" in seen.words)
            pull_the_plug()
        seen = until(jobs, "doomed", key, lambda seen: "asked" in seen.words)

    assert seen.stage is Stage.RUNNING
    assert "; the process that serves it has not asked for work for a minute or more" in seen.words
