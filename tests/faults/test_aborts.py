"""An abort amid a wait that would last for ever: on the real engine and store, and by a finger on a button before a real Envoy."""

import time

import pytest
import yaml

from bot.core.runs import RunState
from bot.flow.decide import abort, approve
from tests.faults.lives import eventually
from tests.faults.office import BO, keys
from tests.faults.papers import PLACE
from tests.faults.test_bot import shares

SOON_S = 5.0
"""The ear is asked every second; the rest is a busy machine."""


def begun(office, **special):
    """Let a run ask for its first step at a platform that never settles; return the office, the run and its replica."""
    house = office(1, stuck=True, **special)
    run = approve(house.desk, house.proposed(0).id, by=BO).id
    replica = house.begins()
    eventually(lambda: house.splitter.effects() == keys(run)[:1], 20, "the first step was asked for")
    return house, run, replica


@pytest.mark.failure("abort")
@pytest.mark.slow
def test_an_abort_amid_a_platform_that_never_settles_puts_the_step_back_at_once_and_once(office, tally):
    house, run, _ = begun(office)
    abort(house.desk, run, by=BO)
    took = eventually(lambda: house.run(run).state.over, 20, "it was over")
    undo = f"{keys(run)[0]}:undo"
    tally(runs=1, effects=len(house.splitter.effects()), heard_within_s=round(took, 1))

    assert took < SOON_S
    assert house.run(run).state is RunState.COMPENSATED
    assert house.run(run).outcome.startswith("It was aborted in the middle of 'third'.")
    assert [key for key, _ in house.splitter.calls()] == [keys(run)[0], undo]
    assert house.splitter.split("m0") == {"v1": 0.0, "v2": 1.0}
    assert [house.audited()[row] for row in (("run.abort_asked", run), ("run.compensated", run), ("step.undone", undo))] == [
        1,
        1,
        1,
    ]


@pytest.mark.failure("abort")
@pytest.mark.slow
def test_a_bot_that_is_told_to_go_amid_such_a_wait_goes_and_the_next_one_waits_on_and_hears_the_abort(office, tally):
    house, run, replica = begun(office)
    asked = time.monotonic()
    replica.terminate()
    replica.join(20)
    gone = time.monotonic() - asked
    house.begins()
    eventually(lambda: len(house.splitter.calls()) == 2, 20, "the next one asked for it again")
    abort(house.desk, run, by=BO)
    eventually(lambda: house.run(run).state.over, 20, "it was over")
    tally(runs=1, effects=len(house.splitter.effects()), gone_within_s=round(gone, 1))

    assert (replica.exitcode, gone < SOON_S) == (0, True)
    assert house.run(run).state is RunState.COMPENSATED
    assert house.splitter.effects() == [keys(run)[0], f"{keys(run)[0]}:undo"]


@pytest.mark.failure("abort")
@pytest.mark.slow
def test_a_bot_that_is_killed_amid_the_wait_finds_the_abort_that_was_asked_for_while_it_was_dead(office, tally):
    house, run, replica = begun(office)
    house.kills(replica)
    abort(house.desk, run, by=BO)
    house.begins()
    eventually(lambda: house.run(run).state.over, 20, "it was over")
    tally(kills=1, runs=1, effects=len(house.splitter.effects()))

    assert house.run(run).state is RunState.COMPENSATED
    assert house.splitter.effects() == [keys(run)[0], f"{keys(run)[0]}:undo"]
    assert house.splitter.split("m0") == {"v1": 0.0, "v2": 1.0}


def is_held_for_long(house):
    """Let the company's rollback count each share for ten minutes."""
    path = house.folder / "playbooks" / "rollback.yaml"
    told = yaml.safe_load(path.read_text())
    for step in told["steps"]:
        step["hold"] = "10m"
    path.write_text(yaml.safe_dump(told, sort_keys=False))


@pytest.mark.slow
def test_a_finger_on_abort_while_traffic_is_counted_for_minutes_puts_envoy_back_and_the_thread_says_so(house):
    is_held_for_long(house)
    house.starts()
    house.proposed()("bo")()
    house.until("a quarter has moved", lambda: shares(house) == [0.25])
    finger = house.finger("ana", "Abort")
    finger()
    took = house.until("the run is over", lambda: house.is_over)
    house.until("Slack says so", house.is_level)
    thread = house.slack.transcript(PLACE)

    assert took < SOON_S
    assert "It was aborted in the middle of 'quarter'. Everything it had changed was put back and read back." in thread
    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert shares(house) == [0.25, 0.0]
    house.invariants()
