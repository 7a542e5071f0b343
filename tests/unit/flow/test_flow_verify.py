"""Only fresh data decide: too few, too late, merely better or unreadable are never "healthy"."""

from dataclasses import replace

import pytest

from bot.core.checks import Check, Family, Measurement, Threshold
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.core.windows import Window
from tests.fakes.journal import Killed
from tests.fakes.world import FakeLog
from tests.unit.flow.room import DAY, DELAYS, Room


@pytest.fixture
def approved(room):
    room.losing()
    number = room.approved().id
    room.log.gap = 0.02
    return number


def waits_twice(room, number):
    """Kill the run at its second look, to see what people see while it waits."""
    with pytest.raises(Killed):
        room.runs(number, room.journal(number, kill_before="verify/2"))


def test_only_rows_after_the_last_step_are_looked_at(room, approved):
    before = len(room.log.windows)
    room.runs(approved)
    since = room.run(approved).fresh_since

    assert room.log.windows[before:] == [Window(since, room.data.now())]


def test_labels_that_come_late_are_waited_for():
    room = Room(model=replace(DELAYS, watches=(replace(DELAYS.watches[0], lag=DAY),)))
    room.losing()
    number = room.approved().id
    room.log.gap = 0.02
    journal = room.journal(number)
    room.runs(number, journal)

    assert journal.slept == [room.desk.poll_s] * 5


def test_a_mended_incident_closes_with_before_and_after(room, approved):
    ended = room.runs(approved)
    closing = room.shown("incident:1/closing")

    assert ended["outcome"] == "Verified: On 10,000 fresh rows: calibration gap 2 points (healthy)."
    assert closing["table"] == [
        {"name": "calibration gap", "before": "15 points", "after": "2 points", "n_after": 10_000, "reference": "0 points"}
    ]
    assert (room.shown(f"run:{approved}")["state"], room.shown(f"run:{approved}")["buttons"]) == ("succeeded", [])
    assert room.incident().cause == "Mended by 'rollback': v3 100 % → v2 100 % in 2 steps"


def test_what_is_merely_better_is_not_mended(room, approved):
    room.log.gap = 0.07
    ended = room.runs(approved)

    assert ended["state"] == RunState.HANDED_OVER
    assert "calibration gap 7 points (warning" in ended["outcome"]


def test_a_loss_that_only_might_be_chance_is_not_mended(room, approved):
    room.log.gap, room.log.band = 0.07, 0.08
    ended = room.runs(approved)

    assert ended["state"] == RunState.HANDED_OVER
    assert "calibration gap 7 points (not proven healthy: beyond its line of 5 points, though it may be chance)" in ended["outcome"]


def test_while_rows_are_too_few_the_message_says_how_many_there_are(room, approved):
    room.log.labelled = 250
    waits_twice(room, approved)

    assert room.shown(f"run:{approved}")["outcome"] == "Verifying: 20 % of 1,000 fresh labelled rows"
    assert room.run(approved).outcome == room.shown(f"run:{approved}")["outcome"]
    assert room.shown("incident:1")["state"] == "verifying"


def test_a_log_that_is_down_until_the_deadline_hands_the_incident_over_and_leaves_the_split(room, approved):
    room.log.down = "The log is gone; mount it."
    ended = room.runs(approved)

    assert ended["outcome"] == ("The plan was carried out, but fresh data could not confirm it in time: The log is gone; mount it.")
    assert (room.run(approved).state, room.splitter.split("delays")["v2"]) == (RunState.HANDED_OVER, 1.0)
    assert room.incident().state is State.ACKNOWLEDGED


def test_a_log_that_comes_back_in_time_decides(room, approved):
    room.log.down = "The log is gone; mount it."
    waits = room.journal(approved).passes

    def passes(seconds):
        room.log.down = ""
        waits(seconds)

    journal = room.journal(approved)
    journal.passes = passes

    assert room.runs(approved, journal)["verdict"] == "healthy"


def test_a_look_that_stumbles_hands_the_incident_over_and_leaves_the_split(room, approved):
    class Broken(FakeLog):
        def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
            raise RuntimeError("a bug")

    room.lays(sources={"log": Broken()})
    ended = room.runs(approved)

    assert ended["outcome"].startswith("The plan was carried out, but looking whether it helped failed: ")
    assert "RuntimeError" in ended["outcome"]
    assert (ended["state"], room.splitter.split("delays")["v2"]) == (RunState.HANDED_OVER, 1.0)


def test_a_check_that_no_watch_runs_any_more_is_said_and_people_decide(room, approved):
    watch = replace(room.model.watches[0], checks=("psi",))
    room.lays(models={room.model.key: replace(room.model, watches=(watch,))})
    ended = room.runs(approved)

    assert ended["state"] == RunState.HANDED_OVER
    assert "No watch of delays@production runs the check 'performance'" in ended["outcome"]


def test_a_model_taken_out_of_the_configuration_is_said_and_people_decide(room, approved):
    journal = room.journal(approved, kill_before="verify/0")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    room.lays(models={})
    room.data.passes(4 * 86_400)
    ended = room.runs(approved, journal.restarted())

    assert ended["state"] == RunState.HANDED_OVER
    assert "There is no model 'delays@production' here" in ended["outcome"]


def test_checks_that_say_nothing_about_what_was_wrong_confirm_nothing(room, approved):
    room.measures("performance", lambda _r, _c: iter([Measurement("brier", 0.0, 10_000)]))
    ended = room.runs(approved)

    assert ended["state"] == RunState.HANDED_OVER
    assert ended["outcome"].endswith("The checks that opened the incident measured nothing.")


def test_for_slow_answers_every_fresh_row_counts_not_only_labelled_ones(room):
    slow = {"p95": 500.0}
    line = Threshold(100, 200)
    answers = Check("latency", Family.OPERATIONS, "ms", lambda _r, c: iter([Measurement("p95", slow["p95"], c.rows)]), line)
    room.lays(checks={**room.desk.checks, "latency": answers})
    room.log.labelled = 0
    room.looks(2)
    number = room.approved().id
    slow["p95"] = 20.0

    assert room.runs(number)["outcome"] == "Verified: On 10,000 fresh rows: p95 20 (healthy)."


def test_a_log_without_labels_cannot_confirm_a_performance_incident(room, approved):
    class Unlabelled(FakeLog):
        def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
            return replace(super().reading(model, window, like, as_of=as_of), outcomes=None)

    room.lays(sources={"log": Unlabelled()})
    ended = room.runs(approved)

    assert ended["outcome"].endswith("not enough fresh data yet: 0 of 1,000 rows.")
