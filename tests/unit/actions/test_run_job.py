"""A job is started once, followed until it ends, and stopped when the plan goes back."""

import pytest

import bot.actions
from bot.actions.run_job import run_job
from bot.core.actions import UNDO, Action, Effect, Going
from bot.core.errors import ActionFailed, ConfigError, NotFound
from bot.core.jobs import Job, Stage
from bot.core.registry import discover
from tests.fakes.jobs import FakeJobs

RUNNING = Job(Stage.RUNNING, "epoch 2 of 9")


def planned(jobs, **parameters):
    return run_job.plan(jobs, "delays", {"job": "retrain", **parameters}, step="train", before=None)


def started(*plays):
    jobs = FakeJobs(*plays)
    run_job.apply(jobs, planned(jobs), "run:1")
    return jobs


def test_the_plan_says_what_would_run():
    change = planned(FakeJobs(), until="today")

    assert change.words == "trainer: retrain delays"
    assert change.after == {"job": "retrain", "parameters": {"model": "delays", "until": "today"}}


def test_a_step_without_a_job_is_refused():
    with pytest.raises(ConfigError, match="needs `job`"):
        run_job.plan(FakeJobs(), "delays", {}, step="train", before=None)


def test_a_job_that_is_gone_by_now_is_not_started():
    jobs = FakeJobs()
    change = run_job.plan(jobs, "delays", {"job": "retrain"}, step="train", before=None)
    jobs.order = lambda *_: (_ for _ in ()).throw(NotFound("There is no job 'retrain' here."))
    with pytest.raises(NotFound):
        run_job.precheck(jobs, change)


def test_a_second_start_with_the_same_key_starts_nothing():
    jobs = started()
    run_job.apply(jobs, planned(jobs), "run:1")

    assert jobs.started == ["run:1"]


def test_what_was_not_taken_is_found_out_by_reading_back():
    jobs = FakeJobs()
    with pytest.raises(ActionFailed, match="knows nothing of it"):
        run_job.read_back(jobs, planned(jobs), "run:1")
    run_job.apply(jobs, planned(jobs), "run:1")
    run_job.read_back(jobs, planned(jobs), "run:1")


@pytest.mark.parametrize("job", [RUNNING, Job(Stage.UNKNOWN, "no answer")], ids=["running", "unreachable"])
def test_what_has_not_ended_is_still_going(job):
    jobs = started(job)

    assert run_job.measure(jobs, planned(jobs), "run:1") == Going(job.words)


def test_what_came_of_it_is_told():
    jobs = started()

    assert run_job.measure(jobs, planned(jobs), "run:1") == Effect("trained v4", {"version": "v4"})


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (Job(Stage.FAILED, "out of memory"), "out of memory"),
        (Job(Stage.FAILED), "does not say why"),
        (Job(Stage.ABSENT), "is gone"),
    ],
    ids=["says why", "says nothing", "lost"],
)
def test_a_failure_is_told(job, why):
    jobs = started(job)
    with pytest.raises(ActionFailed, match=why):
        run_job.measure(jobs, planned(jobs), "run:1")


def test_going_back_stops_what_goes_on():
    jobs = started(RUNNING)
    words = run_job.undo(jobs, planned(jobs), "run:1" + UNDO)

    assert (jobs.cancelled, words) == (["run:1"], "retrain was told to stop; what it had done by then stays.")


def test_going_back_leaves_what_has_ended():
    jobs = started()

    assert (run_job.undo(jobs, planned(jobs), "run:1" + UNDO), jobs.cancelled) == ("retrain had ended; what it did stays.", [])


def test_going_back_from_what_was_never_started_says_so():
    assert run_job.undo(FakeJobs(), planned(FakeJobs()), "run:1" + UNDO) == "retrain was never started."


def test_people_who_approve_are_told_what_is_not_taken_back():
    assert (
        run_job.blast([planned(FakeJobs())]) == "runs retrain for delays; going back stops it, but what it has done by then stays"
    )


def test_something_else_than_a_runner_of_jobs_is_refused():
    class Stone:
        name = "stone"

    with pytest.raises(ConfigError, match="runs no jobs"):
        planned(Stone())


def test_it_is_found_as_an_action():
    assert discover(bot.actions, Action)["run_job"] is run_job
