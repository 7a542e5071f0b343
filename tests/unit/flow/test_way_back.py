"""Going back from a restart: the alias is put back, the server restarts once more, and only what it answers is called back."""

from contextlib import suppress
from dataclasses import replace

import pytest

from bot.core.actions import Change, Verification
from bot.core.errors import ActionFailed, OutcomeUnknown, StoreUnavailable
from bot.core.jobs import Job, Stage
from bot.core.runs import RunState
from bot.flow import decide
from bot.flow.way_back import SERVED_WITHIN_S, planned_again
from tests.fakes.journal import Killed
from tests.unit.flow.test_promote import DONE, PROMOTE, Operator, laid, proposed

RUNNING, FAILED = Job(Stage.RUNNING, "2 of 3 restarted"), Job(Stage.FAILED, "exit code 1")


class Company(Operator):
    """An operator whose job does what it is told, and then says what a test has it say: `says` at each look, by start."""

    def __init__(self, registry):
        super().__init__(registry)
        self.says, self.restarts, self.cut, self.cancelled = {}, {"", "again"}, False, []

    def start(self, job, parameters, key):
        if key not in self.started:
            self.started.append(key)
            if self._which(key) in self.restarts:
                self.registry.restart()
        if self.cut:
            self.cut = False
            raise OutcomeUnknown("The call was cut off.")

    def job(self, job, key):
        if key not in self.started:
            return Job(Stage.ABSENT)
        told = self.says.get(self._which(key), [])
        return told.pop(0) if len(told) > 1 else told[0] if told else DONE

    def cancel(self, job, key):
        self.cancelled.append(self._which(key))
        self.says[""] = [RUNNING, FAILED]

    def _which(self, key):
        return "again" if key.endswith(":again") else ""


def promoted(playbook=PROMOTE):
    """Approve a promotion whose restart serves version 3, though its job says in the end that it failed."""
    room = laid(operator=True, playbooks=(playbook,))
    room.operator = Company(room.registry)
    room.operator.says[""] = [FAILED]
    room.lays(platforms={**room.desk.platforms, "ops": room.operator})
    room.number = decide.approve(room.desk, proposed(room).id, by=room.person("bo")).id
    return room


@pytest.fixture
def room():
    return promoted()


def starts(room):
    return [key.partition(":")[2].partition(":")[2] for key in room.operator.started]


def test_the_plan_says_that_it_would_restart_once_more_for_the_version_of_before(room):
    proposal = room.proposal(room.number)
    (again,) = proposal.plan.back

    assert again.after == {"job": "restart", "parameters": {"model": "delays", "version": "2"}}
    assert room.shown(f"proposal:{room.number}")["back"] == [again.words] == ["operator: restart for 2"]


def test_the_alias_is_put_back_the_server_restarts_once_more_and_answers_as_before(room):
    ended = room.runs(room.number)

    assert ended["state"] == RunState.COMPENSATED.value
    assert ended["outcome"] == (
        "'restart' failed: exit code 1. restart had ended; what it did stays. 'restart' was carried out once more: restarted. "
        "The alias was put back and read back; the server answers as before."
    )
    assert (room.registry.moves, room.registry.served, starts(room)) == (["3", "2"], "2", ["restart", "restart:again"])
    assert room.audited().count("step.again") == 1


def test_while_it_restarts_once_more_the_runs_message_says_so(room):
    room.operator.says["again"] = [RUNNING, RUNNING, DONE]  # read back, looked at, looked at again
    journal = room.journal(room.number, kill_before="restart/again/measure/1")
    with pytest.raises(Killed):
        room.runs(room.number, journal)

    assert room.shown(f"run:{room.number}")["outcome"] == "It goes back: 'restart' is carried out once more."


def test_a_promotion_that_fresh_data_judge_badly_goes_back_with_a_restart():
    room = promoted(replace(PROMOTE, verification=Verification(("same",), 1_000, 86_400)))
    room.operator.says = {}
    room.log.gap = 0.2
    ended = room.runs(room.number)

    assert "calibration gap 20 points" in ended["outcome"]
    assert (ended["state"], room.registry.served) == (RunState.COMPENSATED.value, "2")


def test_where_the_server_answers_as_before_nothing_is_restarted_once_more(room):
    room.operator.restarts = {"again"}
    ended = room.runs(room.number)

    assert (ended["state"], starts(room)) == (RunState.COMPENSATED.value, ["restart"])


def test_a_restart_that_was_never_tried_is_not_made_on_the_way_back(room):
    journal = room.journal(room.number, kill_before="restart/abort?")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    room.registry.restart()  # by somebody else
    decide.abort(room.desk, room.number, by=room.person("ana"))
    ended = room.runs(room.number, journal.restarted())

    assert (ended["state"], starts(room)) == (RunState.FAILED.value, [])
    assert "names 2, but its server still answers with 3; it has to be restarted." in ended["outcome"]


def test_an_abort_amid_the_restart_stops_it_and_waits_for_its_end_before_the_next(room):
    room.operator.says[""] = [RUNNING]
    journal = room.journal(room.number, kill_before="sleep")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    decide.abort(room.desk, room.number, by=room.person("ana"))
    journal = journal.restarted()
    ended = room.runs(room.number, journal)

    assert ended["outcome"].startswith("It was aborted. restart was told to stop")
    assert (ended["state"], room.registry.served) == (RunState.COMPENSATED.value, "2")
    assert [name for name in journal.done if name.startswith("restart/")][-6:] == [
        "restart/undo",
        "restart/over?",
        "restart/over?/1",
        "restart/again",
        "restart/again/read back",
        "restart/again/measure",
    ]
    assert room.operator.cancelled == [""]
    assert journal.slept == [room.desk.poll_s], "nothing cuts a wait on the way back short"


def test_a_server_that_takes_its_time_to_come_up_is_waited_for(room):
    looks = []
    split = room.registry.split

    def slow(target):
        looks.append(room.clock.now())
        if "restart:again" in starts(room) and len(looks) < 6:
            raise ActionFailed("The server gave no answer.")
        return split(target)

    room.registry.split = slow
    ended = room.runs(room.number)

    assert ended["outcome"].endswith("The alias was put back and read back; the server answers as before.")
    assert room.registry.moves == ["3", "2"]


def test_a_restart_that_is_only_said_to_have_been_made_is_found_out_on_the_way_back_too(room):
    room.operator.restarts = {""}
    began, ended = room.clock.now(), room.runs(room.number)

    assert ended["state"] == RunState.FAILED.value
    assert (
        "Going back failed too: After 5 min still: The alias 'champion' of delays names 2, but its server still answers with 3; "
        "it has to be restarted. A person has to look at the platform now."
    ) in ended["outcome"]
    assert (room.clock.now() - began).total_seconds() >= SERVED_WITHIN_S


def test_a_restart_that_does_not_end_on_the_way_back_is_handed_to_people(room):
    room.operator.says["again"] = [Job(Stage.RUNNING)]
    ended = room.runs(room.number)

    assert ended["state"] == RunState.FAILED.value
    assert "Going back failed too: After 30 min still: 'restart' goes on." in ended["outcome"]


def test_a_first_restart_that_does_not_end_lets_no_second_one_begin(room):
    room.operator.says[""] = [Job(Stage.RUNNING)]
    room.operator.cancel = lambda *_: None
    ended = room.runs(room.number)

    assert "Going back failed too: After 30 min still: 'restart' has not ended." in ended["outcome"]
    assert starts(room) == ["restart"]


def test_a_start_that_was_cut_off_is_read_back_and_not_made_again(room):
    journal = room.journal(room.number, kill_before="restart/again")
    with pytest.raises(Killed):
        room.runs(room.number, journal)
    room.operator.cut = True
    ended = room.runs(room.number, journal.restarted())

    assert (ended["state"], starts(room)) == (RunState.COMPENSATED.value, ["restart", "restart:again"])


WAY = ["restart/undo", "move the alias/undo", "restart/over?", "restart/again", "restart/again/read back", "restart/again/measure"]


@pytest.mark.parametrize("moment", ["kill_before", "kill_after"])
@pytest.mark.parametrize("step", [*WAY, "move the alias/in effect?", "end"])
def test_a_bot_that_is_killed_on_the_way_back_restarts_once_more_once(room, step, moment):
    first = room.journal(room.number, **{moment: step})
    with pytest.raises(Killed):
        room.runs(room.number, first)
    ended = room.runs(room.number, first.restarted())

    assert (ended["state"], room.registry.served) == (RunState.COMPENSATED.value, "2")
    assert (room.registry.moves, starts(room)) == (["3", "2"], ["restart", "restart:again"])
    assert [room.audited().count(action) for action in ("step.again", "run.compensated")] == [1, 1]


@pytest.mark.parametrize("moment", range(33))
def test_a_database_that_is_away_at_any_moment_changes_nothing_of_how_it_goes_back(room, moment):
    journal, room.store.away = room.journal(room.number), moment
    for _ in range(2):
        with suppress(Killed, StoreUnavailable):
            room.runs(room.number, journal.restarted())

    assert (room.run(room.number).state, room.registry.served) == (RunState.COMPENSATED, "2")
    assert (room.registry.moves, starts(room)) == (["3", "2"], ["restart", "restart:again"])
    assert room.store.away < 0, "it was never away"


def test_a_plan_that_knows_no_such_way_back_says_what_people_have_to_do():
    room = promoted(replace(PROMOTE, steps=tuple(replace(step, again=False) for step in PROMOTE.steps)))
    ended = room.runs(room.number)

    assert (ended["state"], starts(room)) == (RunState.FAILED.value, ["restart"])
    assert ended["outcome"].endswith("it has to be restarted. A person has to look at the platform now.")


@pytest.mark.parametrize(
    ("given", "back"),
    [
        ({"job": "restart", "version": "3"}, {"job": "restart", "version": "2"}),
        ({"job": "restart"}, {"job": "restart"}),
        ({"job": "restart", "version": "4"}, {"job": "restart", "version": "4"}),
    ],
    ids=["the new version", "no version", "another version"],
)
def test_what_a_step_is_given_on_the_way_back_names_the_version_of_before(given, back):
    alias = Change("move", "set_alias", "delays", {"version": "2"}, {"version": "3", "served": "later"}, "")
    look = replace(alias, step="see", before={"version": "3"})
    traffic = replace(alias, action="set_traffic", before={"version": 1.0}, after={"version": 0.0})

    assert planned_again([alias, look, traffic], given) == back
