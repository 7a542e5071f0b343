"""A flag before the model, told at the desk: switched, read back, counted by what applications report, and judged by fresh data."""

from dataclasses import replace

import pytest

from bot import shelf
from bot.actions.set_toggle import SetToggle, set_toggle
from bot.core.actions import UNDO, Verification
from bot.core.approvals import Policy
from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown, WorldMoved
from bot.core.runs import RunState
from bot.core.toggles import Toggle, named, since
from bot.flow.decide import approve
from bot.flow.propose import options, propose
from tests.unit.flow.room import DELAYS, ROLLBACK, Room

TOGGLE = replace(shelf.read().playbooks["feature_toggle"], verification=Verification())
ON = Toggle("new-model", "production", on=True, rules="a")
OFF = replace(ON, on=False)


class Board:
    """A flag server with one flag, and the applications that report to it: at each wait they say what `reports` has for them."""

    name = "board"

    def __init__(self, stand=ON, reports=()):
        self.stand, self.told, self.reports, self.trouble, self.calls = stand, {}, list(reports), "", []
        if reports:
            self.told = {("app", "1"): (500, 20)}

    def toggle(self, target):
        return self.stand

    def switch(self, target, key, *, on):
        self.calls.append((key.partition(":")[2], on))
        trouble, self.trouble = self.trouble, "refuses" if self.trouble == "refuses" else ""
        if trouble == "refuses":
            raise ActionFailed("This token may not switch.")
        if trouble != "cut before":
            self.stand = replace(self.stand, on=on)
        if trouble:
            raise OutcomeUnknown("The call was cut off.")

    def answered(self, target):
        return dict(self.told)

    def passes(self, seconds):
        for application, on, off in self.reports.pop(0) if self.reports else ():
            before = self.told.get((application, "1"), (0, 0))
            self.told[application, "1"] = before[0] + on, before[1] + off


LATE = [("app", 40, 2)]
"""What still comes in from before the switch."""


def laid(board, *, playbooks=(TOGGLE,), flags=True):
    room = Room(model=replace(DELAYS, connectors={"flags": "board"} if flags else {}), playbook=TOGGLE)
    room.lays(
        platforms={"edge": room.splitter} | ({"board": board} if flags else {}),
        actions={**room.desk.actions, "set_toggle": SetToggle("set_toggle", sleep=board.passes)},
        playbooks={playbook.name: playbook for playbook in playbooks},
        policies={playbook.name: Policy(frozenset({"on-call"})) for playbook in playbooks},
        expand=shelf.expand,
    )
    room.log.gap = 0.15
    room.looks(2)
    return room


def proposed(room, **chosen):
    return propose(room.desk, 1, "feature_toggle", chosen, by=room.person("ana"))


def ran(room, **chosen):
    return room.runs(approve(room.desk, proposed(room, **chosen).id, by=room.person("bo")).id)


def measured(board, to="off", hold=180.0):
    """Switch at the board and measure, as a run does."""
    action = SetToggle("set_toggle", sleep=board.passes)
    change = replace(action.plan(board, "delays", {"to": to}, step="switch", before=None), hold_s=hold)
    action.apply(board, change, "run:1")
    return action.measure(board, change, "run:1")


def test_off_is_what_is_suggested_and_on_can_be_chosen():
    (offered,) = options(laid(Board()).desk, 1)["playbooks"]
    (parameter,) = offered["parameters"]

    assert (parameter["default"], [choice["value"] for choice in parameter["choices"]]) == ("off", ["off", "on"])


def test_it_is_offered_only_where_something_plays_the_models_flags():
    room = laid(Board(), playbooks=(TOGGLE, ROLLBACK), flags=False)

    assert [playbook["name"] for playbook in options(room.desk, 1)["playbooks"]] == ["rollback"]


def test_a_splitter_is_no_flag_server():
    room = laid(Board(), playbooks=(TOGGLE, ROLLBACK))
    room.lays(platforms={"edge": room.splitter, "board": room.splitter})

    assert [playbook["name"] for playbook in options(room.desk, 1)["playbooks"]] == ["rollback"]
    with pytest.raises(ConfigError, match="has no feature flags"):
        set_toggle.plan(room.splitter, "delays", {"to": "off"}, step="switch", before=None)


def test_the_card_says_from_what_to_what_for_whom_and_who_is_touched():
    proposal = proposed(laid(Board(replace(ON, reach="25 %", followers=("a", "b", "c", "d")))))

    assert proposal.plan.words == "new-model in production: on for 25 % → off"
    assert proposal.preview["blast_radius"] == (
        "production: whatever asks for 'new-model' in production, as soon as it asks again, "
        "and the flags that depend on it: a, b, c and 1 more; about 714 predictions a day"
    )


def test_a_run_switches_once_and_says_what_applications_were_answered():
    board = Board(reports=[LATE, [("app", 0, 60)]])
    ended = ran(laid(board))

    assert ended["state"] == RunState.SUCCEEDED.value
    assert "Done: new-model is off; applications were answered 'off' 60 times in 100 s." in ended["outcome"]
    assert [on for _, on in board.calls] == [False]


def test_a_run_that_nobody_follows_switches_back_and_says_so():
    board = Board(reports=[LATE, [("app", 60, 0)]])
    ended = ran(laid(board))

    assert ended["state"] == RunState.COMPENSATED.value
    assert "is off, but app report only 'on' (60 answers in 100 s); nobody follows it." in ended["outcome"]
    assert "The flag 'new-model' in production was switched on again, and that was read back." in ended["outcome"]
    assert [on for _, on in board.calls] == [False, True]


@pytest.mark.parametrize(("trouble", "state"), [("cut after", RunState.SUCCEEDED), ("cut before", RunState.COMPENSATED)])
def test_a_call_that_was_cut_off_is_read_back_and_not_made_again(trouble, state):
    board = Board()
    room = laid(board)
    board.trouble = trouble
    ended = ran(room)

    assert ended["state"] == state.value
    assert [on for _, on in board.calls if not on] == [False]


def test_a_refusal_leaves_the_flag_as_it_was():
    board = Board()
    room = laid(board)
    board.trouble = "refuses"
    ended = ran(room)

    assert ended["outcome"].startswith("This token may not switch. The flag 'new-model' in production stands as before: on.")
    assert (board.stand.on, len(board.calls)) == (True, 1)


@pytest.mark.parametrize(("stand", "to"), [(OFF, "off"), (ON, "on")])
def test_what_stands_so_already_is_refused_at_planning(stand, to):
    with pytest.raises(ConfigError, match=f"The flag 'new-model' in production is {to} already; there is nothing to switch"):
        proposed(laid(Board(stand)), to=to)


def test_what_would_be_on_for_nobody_is_refused_at_planning():
    with pytest.raises(ConfigError, match="would be on for nobody: it depends on x; mend that first"):
        proposed(laid(Board(replace(OFF, nobody="it depends on x"))), to="on")


def test_a_later_step_goes_on_from_where_an_earlier_one_leads():
    change = set_toggle.plan(Board(), "delays", {"to": "on"}, step="again", before={"on": False})

    assert change.words == "new-model in production: off → on for everybody"


@pytest.mark.parametrize(("given", "on"), [("on", True), (True, True), ("off", False), (False, False)], ids=str)
def test_a_bare_on_or_off_of_yaml_is_understood(given, on):
    change = set_toggle.plan(Board(replace(ON, on=not on)), "delays", {"to": given}, step="switch", before=None)

    assert change.after["on"] is on


@pytest.mark.parametrize("parameters", [{}, {"to": "maybe"}, {"to": 1}, {"to": None}, {"to": "on", "share": 0.5}], ids=str)
def test_a_step_that_says_something_else_is_refused(parameters):
    with pytest.raises(ConfigError, match="needs `to`, which is 'on' or 'off'"):
        set_toggle.plan(Board(), "delays", parameters, step="switch", before=None)


# what the world does meanwhile


def test_rules_that_changed_since_the_plan_stop_it_from_being_switched_on():
    board = Board(OFF)
    change = set_toggle.plan(board, "delays", {"to": "on"}, step="switch", before=None)
    board.stand = replace(OFF, rules="b")
    with pytest.raises(WorldMoved, match="changed for whom the flag 'new-model' in production is on"):
        set_toggle.apply(board, change, "run:1")

    assert board.calls == []


def test_rules_that_changed_do_not_keep_it_from_being_switched_off():
    board = Board()
    change = set_toggle.plan(board, "delays", {"to": "off"}, step="switch", before=None)
    board.stand = replace(ON, rules="b")
    set_toggle.apply(board, change, "run:1")
    with pytest.raises(WorldMoved, match="changed for whom"):
        set_toggle.undo(board, change, f"run:1{UNDO}")

    assert not board.stand.on


def test_a_rule_that_switching_on_has_made_is_no_change_by_others():
    board = Board(replace(OFF, bare=True))
    change = set_toggle.plan(board, "delays", {"to": "on"}, step="switch", before=None)
    board.stand = replace(ON, rules="new")
    set_toggle.apply(board, change, "run:1")

    assert change.words == "new-model in production: off → on for everybody, by a new rule that stays"
    assert set_toggle.undo(board, change, f"run:1{UNDO}").endswith(
        "The rule for everybody that it got for being switched on stays."
    )


@pytest.mark.parametrize("other", [replace(ON, flag="other"), replace(ON, place="staging")], ids=["flag", "place"])
def test_a_plan_for_one_flag_switches_no_other_that_the_configuration_names_by_now(other):
    board = Board()
    change = set_toggle.plan(board, "delays", {"to": "off"}, step="switch", before=None)
    board.stand = other
    for does in (set_toggle.apply, set_toggle.undo):
        with pytest.raises(
            WorldMoved, match=r"The plan was made for the flag 'new-model' in production, but aiops\.yaml now names"
        ):
            does(board, change, "run:1")

    assert board.calls == []


def test_somebody_who_switches_it_back_while_it_is_measured_is_noticed():
    board = Board()
    change = set_toggle.plan(board, "delays", {"to": "off"}, step="switch", before=None)
    with pytest.raises(ActionFailed, match="was switched off, but the flag server says that it is on"):
        set_toggle.measure(board, change, "run:1")


def test_a_flag_that_is_on_for_nobody_by_then_is_noticed():
    board = Board(OFF)
    change = set_toggle.plan(board, "delays", {"to": "on"}, step="switch", before=None)
    board.stand = replace(ON, nobody="it depends on x")
    with pytest.raises(ActionFailed, match="is on, but for nobody: it depends on x"):
        set_toggle.measure(board, change, "run:1")


# what applications report


def test_where_nobody_reports_nobody_is_waited_for():
    waits = []
    action = SetToggle("set_toggle", sleep=waits.append)
    board = Board()
    change = replace(action.plan(board, "delays", {"to": "off"}, step="switch", before=None), hold_s=180.0)
    action.apply(board, change, "run:1")

    assert action.measure(board, change, "run:1").words == "new-model is off; no application reports that it asks for it"
    assert waits == []


@pytest.mark.parametrize(("hold", "waits"), [(180.0, [80.0, 100.0]), (60.0, [30.0, 30.0])])
def test_what_comes_in_from_before_the_switch_is_let_pass(hold, waits):
    slept = []
    action = SetToggle("set_toggle", sleep=slept.append)
    board = Board(reports=[LATE])
    change = replace(action.plan(board, "delays", {"to": "off"}, step="switch", before=None), hold_s=hold)
    action.apply(board, change, "run:1")
    seen = action.measure(board, change, "run:1")

    assert (slept, seen.words) == (waits, "new-model is off; no application has reported since")


def test_without_a_hold_nobody_looks_and_that_is_said():
    assert measured(Board(reports=[LATE]), hold=0.0).words == "new-model is off; nobody has looked whether applications follow"


def test_reports_that_cannot_be_read_put_nothing_back():
    board = Board()

    def unreadable(target):
        raise ActionFailed("The flag server gave no answer.")

    board.answered = unreadable
    seen = measured(board)

    assert seen.words == "new-model is off; what applications report cannot be read: The flag server gave no answer"
    assert not board.stand.on


def test_applications_that_lag_behind_are_named_and_fail_nothing():
    seen = measured(Board(reports=[LATE, [("app", 0, 60), ("batch", 3, 0)]]))

    assert (
        seen.words
        == "new-model is off; applications were answered 'off' 60 times in 100 s, 'on' 3 times (batch did not follow yet)"
    )
    assert seen.measured == {"on": False, "answered_right": 60, "answered_otherwise": 3}


def test_some_who_are_not_meant_say_nothing_against_a_flag_that_is_on_for_a_part():
    words = measured(Board(replace(OFF, reach="25 %"), reports=[LATE, [("app", 0, 60)]]), to="on").words

    assert words == "new-model is on; applications were answered 'on' 0 times in 100 s, 'off' 60 times"


def test_a_flag_that_is_on_for_everybody_and_answered_off_is_not_on():
    with pytest.raises(ActionFailed, match="is on, but app report only 'off'"):
        measured(Board(OFF, reports=[LATE, [("app", 0, 60)]]), to="on")


def test_only_what_grew_between_two_looks_counts():
    earlier = {("a", "1"): (5, 5), ("b", "1"): (9, 9), ("gone", "0"): (7, 7)}
    later = {("a", "1"): (6, 5), ("a", "2"): (0, 4), ("b", "1"): (9, 9), ("reset", "1"): (0, 0)}

    assert since(earlier, later) == {"a": (1, 4)}


def test_a_long_row_of_names_is_cut_short():
    assert (named(["a", "b"]), named(["x" * 99, "b", "c", "d", "e"])) == ("a, b", f"{'x' * 60}, b, c and 2 more")
