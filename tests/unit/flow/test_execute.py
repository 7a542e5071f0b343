"""A run carries out exactly the approved plan, survives a kill at any point, and never stops half-way without saying so."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace

import pytest

from bot.core.errors import NotFound, StoreUnavailable
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import decide
from tests.fakes.journal import Killed
from tests.fakes.nouns import a_run
from tests.unit.flow.room import Room

STEPS = [
    "begin",
    *(f"{step}/{part}" for step in ("half", "all") for part in ("abort?", "precheck", "apply", "read back", "measure")),
    "applied",
    "verify/0",
    "verify/1",
    "end",
]
BACK = [*STEPS[:-1], "all/undo", "half/undo", "end"]
HALF, ALL, BEFORE = {"v1": 0.0, "v2": 0.5, "v3": 0.5}, {"v1": 0.0, "v2": 1.0, "v3": 0.0}, {"v1": 0.0, "v2": 0.0, "v3": 1.0}
KILLS = ["kill_before", "kill_after"]


@pytest.fixture
def approved(room):
    """A losing model with an approved way back to a version that does well."""
    room.losing()
    proposal = room.approved()
    room.log.gap = 0.02
    return proposal.id


def keys(room):
    return [key.partition(":")[2] for key, _ in room.splitter.moves]


def life_after_life(room, number, **kill):
    first = room.journal(number, **kill)
    with pytest.raises(Killed):
        room.runs(number, first)
    return room.runs(number, first.restarted())


def test_a_run_takes_these_steps_and_no_other(room, approved):
    journal = room.journal(approved)
    room.runs(approved, journal)

    assert journal.done == STEPS
    assert room.splitter.moves == [(f"run_playbook:{approved}:half", HALF), (f"run_playbook:{approved}:all", ALL)]


@pytest.mark.parametrize("moment", KILLS)
@pytest.mark.parametrize("step", STEPS)
def test_a_run_killed_at_any_step_goes_on_and_each_effect_happens_once(room, approved, step, moment):
    ended = life_after_life(room, approved, **{moment: step})

    assert (ended["state"], ended["verdict"]) == ("succeeded", "healthy")
    assert room.splitter.moves == [(f"run_playbook:{approved}:half", HALF), (f"run_playbook:{approved}:all", ALL)]
    told = room.audited()
    assert [told.count(once) for once in ("vote.approved", "run.queued", "run.started", "run.succeeded", "incident.resolved")] == [
        1
    ] * 5
    assert room.incident().state is State.RESOLVED


@pytest.mark.parametrize("step", list(dict.fromkeys(BACK)))
def test_a_run_killed_after_any_step_leaves_the_record_of_one_that_was_not(step):
    killed, spared = _record(kill_after=step), _record(kill_after="nothing")
    intended_again = {("step.intended", f"run_playbook:R:{step.partition('/')[0]}"): 1}

    assert killed - spared == (intended_again if step.endswith("/apply") else {})
    assert not spared - killed


def _record(**kill):
    """What is audited of a run that goes back, killed once or not at all; an effect that was cut off is intended once more."""
    room = Room()
    room.losing()
    number = room.approved().id
    room.log.gap = 0.2
    journal = room.journal(number, **kill)
    with suppress(Killed):
        room.runs(number, journal)
    room.runs(number, journal.restarted())
    room.audited()
    return Counter((row.entry.action, row.entry.target.replace(number, "R")) for row in room.store.audit_log)


@pytest.mark.parametrize("moment", range(29))
def test_a_database_that_is_away_at_any_moment_of_a_run_changes_nothing_of_how_it_ends(room, approved, moment):
    journal, room.store.away = room.journal(approved), moment
    for _ in range(2):
        with suppress(Killed, StoreUnavailable):
            room.runs(approved, journal.restarted())

    assert room.run(approved).state is RunState.SUCCEEDED
    assert room.splitter.moves == [(f"run_playbook:{approved}:half", HALF), (f"run_playbook:{approved}:all", ALL)]
    assert room.store.away < 0, "it was never away"


def test_a_run_killed_while_it_waits_goes_on(room, approved):
    ended = life_after_life(room, approved, kill_before="sleep")

    assert ended["verdict"] == "healthy"
    assert keys(room) == [f"{approved}:half", f"{approved}:all"]


@pytest.mark.parametrize("moment", KILLS)
@pytest.mark.parametrize("step", BACK)
def test_a_run_killed_on_its_way_back_still_puts_everything_back_once(room, approved, step, moment):
    room.log.gap = 0.2
    ended = life_after_life(room, approved, **{moment: step})

    assert ended["state"] == RunState.COMPENSATED
    assert keys(room) == [f"{approved}:half", f"{approved}:all", f"{approved}:all:undo", f"{approved}:half:undo"]
    assert room.splitter.split("delays") == BEFORE
    assert room.audited().count("run.compensated") == 1
    assert room.incident().state is State.ACKNOWLEDGED


def test_every_effect_has_an_audit_row_before_it(room, approved):
    seen = []
    applies = room.splitter.set_split

    def noted(target, split, key):
        seen.append(room.store.audit_log[-1].entry)
        applies(target, split, key)

    room.splitter.set_split = noted
    room.runs(approved)

    assert [(entry.action, entry.target) for entry in seen] == [
        ("step.intended", f"run_playbook:{approved}:half"),
        ("step.intended", f"run_playbook:{approved}:all"),
    ]


def test_what_really_happened_is_measured_and_shown_step_by_step(room, approved):
    room.runs(approved)
    steps = room.shown(f"run:{approved}")["steps"]

    assert [step["state"] for step in steps] == ["done", "done"]
    assert [step["measured"] for step in steps] == [
        "measured v3 50 % · v2 50 % over 2,000 requests",
        "measured v2 100 % over 2,000 requests",
    ]


def test_a_plan_that_is_not_the_approved_one_is_refused(room, approved):
    run = room.run(approved)
    other = replace(run, plan=replace(run.plan, changes=run.plan.changes[1:]))
    with room.store.write() as unit:
        unit.save_run(other)
    ended = room.runs(approved)

    assert ended["outcome"] == (
        f"Run {approved} has no approval for exactly this plan, so it is not carried out. Nothing had been changed."
    )
    assert (room.splitter.moves, room.run(approved).state, room.incident().state) == ([], RunState.FAILED, State.ACKNOWLEDGED)


def test_a_run_that_nobody_approved_is_refused(room):
    room.losing()
    proposal = room.proposed()
    with room.store.write() as unit:
        unit.save_run(a_run(proposal.id, plan=proposal.plan))
    ended = room.runs(proposal.id)

    assert (ended["state"], room.splitter.moves) == (RunState.FAILED, [])


def test_a_run_that_does_not_exist_changes_nothing(room):
    with pytest.raises(NotFound, match="There is no run p9"):
        room.runs("p9")


def test_a_run_that_is_over_is_not_run_again(room, approved):
    room.runs(approved)
    moves, rows = list(room.splitter.moves), len(room.store.audit_log)
    again = room.runs(approved)

    assert (again["state"], again["outcome"]) == ("succeeded", room.run(approved).outcome)
    assert (room.splitter.moves, len(room.store.audit_log)) == (moves, rows)


def test_a_world_that_moved_before_the_first_step_is_left_alone(room, approved):
    room.splitter.somebody_sets("v1")
    ended = room.runs(approved)

    assert ended["state"] == RunState.FAILED
    assert "delays now serves v1 100 %, but the plan was made for v3 100 %" in ended["outcome"]
    assert (room.splitter.moves, room.splitter.split("delays")["v1"]) == ([], 1.0)


def test_what_somebody_else_sets_between_two_steps_stays_as_they_set_it(room, approved):
    journal = room.journal(approved, kill_before="all/abort?")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    room.splitter.somebody_sets("v1")
    ended = room.runs(approved, journal.restarted())

    assert ended["outcome"].endswith("What somebody else has set stays as it is.")
    assert (keys(room), room.splitter.split("delays")["v1"]) == ([f"{approved}:half"], 1.0)
    assert [step["state"] for step in room.shown(f"run:{approved}")["steps"]] == ["done", "failed"]


def test_an_answer_that_was_cut_off_is_read_back_and_not_asked_again(room, approved):
    room.splitter.troubles = ["cut after"]
    ended = room.runs(approved)

    assert ended["verdict"] == "healthy"
    assert room.splitter.effects == [f"run_playbook:{approved}:half", f"run_playbook:{approved}:all"]


def test_a_call_that_never_arrived_is_seen_by_reading_back_and_undone(room, approved):
    room.splitter.troubles = ["", "cut before"]
    journal = room.journal(approved)
    ended = room.runs(approved, journal)

    assert "all/measure" not in journal.done
    assert ended["state"] == RunState.COMPENSATED
    assert ended["outcome"].startswith("delays was set to v2 100 %, but the splitter now says v3 50 % · v2 50 %.")
    assert ended["outcome"].endswith("Everything it had changed was put back and read back.")
    assert room.splitter.split("delays") == BEFORE


def test_a_platform_that_refuses_a_step_is_put_back(room, approved):
    room.splitter.troubles = ["", "refuses"]
    ended = room.runs(approved)

    assert (ended["state"], room.splitter.split("delays")) == (RunState.COMPENSATED, BEFORE)
    assert room.shown(f"run:{approved}")["steps"][0]["state"] == "undone"


def test_a_splitter_that_says_yes_and_does_nothing_is_caught_by_counting(room, approved):
    room.splitter.lies = True
    ended = room.runs(approved)

    assert ended["state"] == RunState.COMPENSATED
    assert "but of 2,000 requests it really served v3 100 %" in ended["outcome"]


def test_an_undo_that_fails_is_handed_over_loudly(room, approved):
    room.splitter.troubles = ["", "refuses", "refuses"]
    ended = room.runs(approved)
    loud = [n for n in room.store.notices.values() if "Going back failed too" in str(n.data.get("text", ""))]

    assert ended["state"] == RunState.FAILED
    assert ended["outcome"].endswith("The splitter refuses. A person has to look at the platform now.")
    assert [n.mention for n in loud] == ["<!subteam^ml-platform>"]
    assert room.incident().state is State.ACKNOWLEDGED


def test_an_abort_before_the_first_step_changes_nothing(room, approved):
    decide.abort(room.desk, approved, by=room.person("ana"))
    ended = room.runs(approved)

    assert (ended["state"], ended["outcome"]) == (RunState.FAILED, "It was aborted. Nothing had been changed.")
    assert room.splitter.moves == []


def test_an_abort_while_fresh_data_are_awaited_puts_everything_back(room, approved):
    journal = room.journal(approved, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(approved, journal)
    decide.abort(room.desk, approved, by=room.person("ana"))
    ended = room.runs(approved, journal.restarted())

    assert ended["outcome"] == "It was aborted. Everything it had changed was put back and read back."
    assert room.splitter.split("delays") == BEFORE


def test_a_splitter_that_does_not_answer_hands_the_incident_back_untouched(room, approved):
    room.splitter.down = True
    ended = room.runs(approved)

    assert ended["outcome"] == "The splitter gave no answer. Nothing had been changed."
    assert room.shown("incident:1")["version_split"] == "unknown: the splitter does not answer"
    assert room.splitter.moves == []


def test_a_platform_that_was_taken_out_of_the_configuration_hands_the_incident_back(room, approved):
    room.lays(platforms={})
    ended = room.runs(approved)

    assert ended["outcome"].startswith("'delays@production' names no serving connector")
    assert room.incident().state is State.ACKNOWLEDGED


def test_an_action_that_is_gone_is_a_stumble_and_hands_the_incident_back(room, approved):
    room.lays(actions={})
    ended = room.runs(approved)

    assert ended["outcome"] == (
        "Step 'half/precheck' broke with KeyError; read back what it did before doing it again. Nothing had been changed."
    )
    assert room.incident().state is State.ACKNOWLEDGED


def test_after_a_run_that_did_not_help_another_can_be_proposed(room, approved):
    room.splitter.lies = True
    room.runs(approved)
    room.splitter.lies = False
    second = room.approved(by="bo")

    assert room.runs(second.id)["verdict"] == "healthy"


def test_each_step_is_shown_as_soon_as_it_is_measured(room, approved):
    with pytest.raises(Killed):
        room.runs(approved, room.journal(approved, kill_before="all/abort?"))

    assert [step["state"] for step in room.shown(f"run:{approved}")["steps"]] == ["done", "doing"]
    assert room.shown("incident:1")["version_split"] == "v3 50 % · v2 50 %"


def test_a_process_that_was_believed_dead_and_comes_back_late_changes_nothing(room, approved):
    late = room.journal(approved, kill_before="verify/0")
    with pytest.raises(Killed):
        room.runs(approved, late)
    other = late.restarted()
    other.memory = list(late.memory)
    room.runs(approved, other)
    outcome, moves, rows = room.run(approved).outcome, list(room.splitter.moves), len(room.store.audit_log)
    ended = room.runs(approved, late.restarted())

    assert ended["outcome"] == room.run(approved).outcome == outcome
    assert (room.splitter.moves, len(room.store.audit_log)) == (moves, rows)
