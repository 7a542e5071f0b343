"""In the middle of a run a person looks and continues it: durably, once, only who may, and not for ever."""

from dataclasses import replace

import pytest

from bot.core.approvals import Policy, Principal
from bot.core.errors import NotAllowed, NotFound
from bot.core.incidents import State
from bot.core.runs import RunState
from bot.flow import brake, decide, gate
from tests.fakes.journal import Killed
from tests.unit.flow.room import ROLLBACK, Room

LOOK = "Look at v2's errors."
BEFORE, HALF = {"v1": 0.0, "v2": 0.0, "v3": 1.0}, {"v1": 0.0, "v2": 0.5, "v3": 0.5}


def gated(*, half=False, **policy):
    """A room whose approved run waits for a person before its second step (and its first)."""
    first, last = ROLLBACK.steps
    steps = (replace(first, gate="Is it you?", gate_s=600.0) if half else first, replace(last, gate=LOOK, gate_s=3_600.0))
    room = Room(playbook=replace(ROLLBACK, steps=steps), policy=Policy(frozenset({"on-call"}), **policy))
    room.losing()
    room.number = room.approved().id
    room.log.gap = 0.02
    return room


@pytest.fixture
def room():
    return gated()


def stopped(room):
    """Carry the run out until it waits; return its journal."""
    journal = room.journal(room.number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    return journal


def goes_on(room, journal, **kill):
    return room.runs(room.number, journal.restarted(**kill))


def presses(room, who="bo", step="all"):
    return gate.proceed(room.desk, f"{room.number}:{step}", by=room.person(who))


def refused(room, who="bo", step="all"):
    with pytest.raises(NotAllowed) as why:
        presses(room, who, step)
    return str(why.value)


def card(room):
    return room.shown(f"run:{room.number}")


def test_before_the_step_the_run_waits_and_nothing_of_it_is_done(room):
    stopped(room)

    assert room.splitter.split("delays") == HALF
    assert card(room)["gate"]["look"] == LOOK
    assert [(button["action"], button["value"]) for button in card(room)["buttons"]] == [
        ("continue", f"{room.number}:all"),
        ("abort", room.number),
    ]
    assert [step["state"] for step in card(room)["steps"]] == ["done", "waiting"]


def test_those_who_may_continue_it_are_called_in_the_thread(room):
    stopped(room)
    (called,) = [n for n in room.store.notices.values() if "The run waits before 'all'" in str(n.data.get("text", ""))]

    assert called.mention == "<!subteam^on-call>"
    assert called.data["text"] == f"The run waits before 'all': {LOOK} Press Continue in its message within 1 h, or it goes back."


def test_the_approval_card_says_what_it_will_wait_for(room):
    assert room.shown(f"proposal:{room.number}")["steps"][1].startswith(f"when a person continues it ({LOOK}): ")


def test_when_a_person_has_pressed_it_goes_on_to_its_end(room):
    journal = stopped(room)
    presses(room)
    assert card(room)["gate"]["continued_by"] == "U0BO"
    assert [button["action"] for button in card(room)["buttons"]] == ["abort"]

    assert goes_on(room, journal)["state"] == "succeeded"
    assert room.incident().state is State.RESOLVED
    assert "Continued before 'all'." in room.thread()
    assert (room.run(room.number).gate, card(room)["gate"]) == ("", {})


def test_a_step_that_fails_after_somebody_has_continued_it_is_the_one_that_failed(room):
    journal = stopped(room)
    presses(room)
    room.splitter.troubles = ["refuses"]

    assert goes_on(room, journal)["state"] == RunState.COMPENSATED
    assert [step["state"] for step in card(room)["steps"]] == ["undone", "failed"]


def test_a_second_press_changes_nothing(room):
    journal = stopped(room)
    presses(room)
    presses(room)
    goes_on(room, journal)
    presses(room)

    assert room.audited().count("gate.continued") == 1
    with room.store.read() as unit:
        assert [(press.step, press.by) for press in unit.presses(room.number)] == [("all", "U0BO")]


def test_while_the_brake_is_held_a_press_is_kept_and_the_step_begins_only_after_the_release(room):
    journal = stopped(room)
    brake.pause(room.desk, by=room.person("ana"))
    presses(room)
    journal = journal.restarted(kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    assert room.splitter.split("delays") == HALF

    brake.resume(room.desk, by=room.person("ana"))
    assert goes_on(room, journal)["state"] == "succeeded"


def test_a_member_of_a_user_group_that_may_approve_may_continue_and_where_slack_cannot_say_nobody(room):
    room.lays(groups=lambda _group: frozenset({"U0CY"}))
    with room.store.write() as unit:
        proposal = unit.proposal(room.number)
        unit.save_proposal(replace(proposal, policy=Policy(groups=frozenset({"S0SRE"}))))
    stopped(room)
    assert refused(room, "bo") == "Only group S0SRE may continue this run; your roles: on-call."
    presses(room, "cy")

    assert card(room)["gate"]["continued_by"] == "U0CY"


def test_a_press_at_an_earlier_gate_does_not_pass_a_later_one():
    room = gated(half=True)
    journal = stopped(room)
    presses(room, step="half")
    again = journal.restarted(kill_after="all/gate/0")
    with pytest.raises(Killed):
        room.runs(room.number, again)
    presses(room, step="half")  # a late click on what was there before

    assert room.run(room.number).gate == "all"
    assert room.splitter.split("delays") == HALF


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", ["all/gate", "all/gate/0", "all/gate/1", "all/abort?"])
def test_a_run_killed_at_its_gate_goes_on_and_tells_everything_once(room, step, moment):
    journal = room.journal(room.number, **{moment: step})
    journal.passes = lambda s, passes=journal.passes: (passes(s), room.run(room.number).waits and presses(room))
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    ended = goes_on(room, journal)

    assert ended["state"] == "succeeded"
    told = room.audited()
    assert [told.count(once) for once in ("gate.reached", "gate.continued", "gate.expired")] == [1, 1, 0]
    assert [key.rpartition(":")[2] for key, _ in room.splitter.moves] == ["half", "all"]


def nobody_came(room, ended):
    assert ended["state"] == RunState.COMPENSATED
    assert ended["outcome"].startswith("Nobody continued it before 'all' within 1 h.")
    assert room.splitter.split("delays") == BEFORE
    assert room.audited().count("gate.expired") == 1
    assert [step["state"] for step in card(room)["steps"]] == ["undone", "waiting"]
    assert room.incident().state is State.ACKNOWLEDGED


def test_where_nobody_comes_in_time_it_goes_back_and_people_are_told(room):
    nobody_came(room, room.runs(room.number))


def test_a_kill_at_the_moment_when_its_time_is_over_expires_it_once(room):
    journal = room.journal(room.number)
    room.runs(room.number, journal)
    last = [name for name in journal.done if name.startswith("all/gate/")][-1]
    room = gated()
    journal = room.journal(room.number, kill_after=last)
    with pytest.raises(Killed):
        room.runs(room.number, journal)

    assert refused(room).startswith("The run does not wait there")
    nobody_came(room, goes_on(room, journal))


def test_a_press_that_comes_too_late_is_refused_before_the_run_itself_has_looked(room):
    stopped(room)
    room.clock.passes(3_601)

    assert refused(room) == "Nobody continued it in time, so it goes back."


def test_an_abort_is_heard_at_the_gate(room):
    journal = stopped(room)
    decide.abort(room.desk, room.number, by=room.person("ana"))
    assert refused(room) == "This run is being aborted; it goes back."
    assert card(room)["gate"] == {}

    assert goes_on(room, journal)["outcome"].startswith("It was aborted.")
    assert room.splitter.split("delays") == BEFORE


def test_what_somebody_else_has_set_while_it_waited_stays(room):
    journal = stopped(room)
    room.splitter.somebody_sets("v1")
    presses(room)
    ended = goes_on(room, journal)

    assert "What somebody else has set stays as it is." in ended["outcome"]
    assert room.splitter.split("delays")["v1"] == 1.0


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("cy", "Only on-call may continue this run; your roles: viewer."),
        ("di", "Only on-call may continue this run; your roles: none."),
        ("ana", "You proposed this; someone else has to look and continue it."),
    ],
)
def test_who_may_not_approve_may_not_continue(room, who, sentence):
    stopped(room)

    assert refused(room, who) == sentence
    assert room.audited()[-1] == "gate.refused"
    assert room.run(room.number).waits


def test_the_proposer_may_where_the_policy_lets_them_approve():
    room = gated(self_approval=True)
    stopped(room)

    assert presses(room, "ana").id == room.number


def test_the_bot_never_continues_its_own_run(room):
    stopped(room)
    bot = Principal("aiops-bot", roles=frozenset({"on-call"}))
    with pytest.raises(NotAllowed, match="A person has to look"):
        gate.proceed(room.desk, f"{room.number}:all", by=bot)


def test_a_run_that_is_not_there_or_over_is_not_continued(room):
    assert refused(room) == "The run does not wait there; its message says where it stands."
    with pytest.raises(NotFound, match="There is no run nonsense"):
        gate.proceed(room.desk, "nonsense", by=room.person("bo"))

    decide.abort(room.desk, room.number, by=room.person("ana"))
    room.runs(room.number)
    assert refused(room).startswith("This run is over: It was aborted.")


def test_hours_of_waiting_do_not_fill_the_journal(room):
    journal = room.journal(room.number)
    room.runs(room.number, journal)

    assert len([name for name in journal.done if name.startswith("all/gate/")]) < 60
    assert max(journal.slept) <= 4 * room.desk.poll_s
