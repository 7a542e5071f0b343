"""What was decided about traffic is looked after: what else is served is asked about, put back or kept, by people."""

from dataclasses import replace

import pytest

from bot.core.actions import Verification, canonical
from bot.core.approvals import Standing
from bot.core.checks import Family, Measurement
from bot.core.errors import ActionFailed
from bot.core.findings import SERVED, Verdict
from bot.core.incidents import Severity, State
from bot.core.playbooks import Parameter, Playbook, Step
from bot.flow import decide, propose, resolve
from bot.flow.explain import explain_all
from bot.flow.heal import heal_all
from bot.flow.reconcile import reconcile
from tests.unit.flow.room import ROLLBACK, Room

RESTORE = Playbook(
    name="restore",
    title="Put back",
    summary="Puts back what was decided.",
    families=frozenset({Family.OPERATIONS}),
    severities=frozenset(Severity),
    parameters=(Parameter("split", "split", title="Split"),),
    steps=(Step("put back", "set_traffic"),),
    verification=Verification((SERVED,), 0, 3_600),
    content={"name": "restore"},
)


def expand(playbook, parameters):
    name, value = next(iter(parameters.items()))
    return [
        replace(s, parameters={{"to_version": "version", "split": "split"}[name]: value, **s.parameters}) for s in playbook.steps
    ]


@pytest.fixture
def decided(room: Room) -> Room:
    """A room where a rollback to v2 was carried out and helped, an hour ago."""
    room.lays(
        expand=expand,
        playbooks={"rollback": ROLLBACK, "restore": RESTORE},
        policies=dict.fromkeys(("rollback", "restore"), room.policy),
    )
    room.losing()
    number = room.approved().id
    room.log.gap = 0.02
    room.runs(number)
    passes(room, 3_600)
    return room


def passes(room, seconds=60):
    room.clock.passes(seconds)
    room.data.passes(seconds)


def looks(room, times=2):
    for _ in range(times):
        passes(room)
        reconcile(room.desk)
    explain_all(room.desk)


def said(room):
    with room.store.read() as unit:
        return next((f for f in unit.latest(room.model.key) if f.check == SERVED), None)


def test_where_nobody_decided_anything_nothing_is_looked_at(room):
    assert reconcile(room.desk) == 0
    assert said(room) is None


def test_a_model_without_a_splitter_is_left_alone(decided):
    decided.lays(platforms={})

    assert reconcile(decided.desk) == 0


def test_what_is_served_as_decided_is_healthy_and_says_so(decided):
    looks(decided)

    assert said(decided).verdict is Verdict.HEALTHY
    assert "edge serves v2 100 %, decided was v2 100 %" in said(decided).reason
    assert len(decided.incidents()) == 1


def test_a_splitter_that_forgot_opens_one_incident_at_the_second_look(decided):
    decided.splitter.restart()
    looks(decided, 1)
    assert len(decided.incidents()) == 1

    looks(decided, 3)
    first, *rest = decided.incidents()

    assert len(rest) == 1
    assert (first.family, first.severity, first.title) == (
        Family.OPERATIONS,
        Severity.SEV2,
        "delays: 100 % of its traffic is not served as decided",
    )
    assert first.evidence["suggestion"] == "Put v2 100 % back ('restore'), or resolve this incident to keep what is served now."


def test_nothing_is_put_back_unasked_and_what_was_decided_is_offered(decided):
    decided.splitter.restart()
    moves = list(decided.splitter.moves)
    looks(decided)

    assert decided.splitter.moves == moves
    [offer] = [p for p in propose.options(decided.desk, 2)["playbooks"] if p["name"] == "restore"]
    [parameter] = offer["parameters"]
    assert parameter["choices"] == [{"value": parameter["default"], "text": "v2 100 %"}]


def put_back(room, number=2):
    proposal = propose.propose(room.desk, number, "restore", {}, by=room.person("ana"))
    decide.approve(room.desk, proposal.id, by=room.person("bo"))
    return room.runs(proposal.id)


def test_approved_it_is_put_back_measured_and_resolved_by_the_splitters_own_word(decided):
    decided.splitter.restart()
    looks(decided)

    ended = put_back(decided)

    assert (ended["state"], ended["verdict"]) == ("succeeded", "healthy")
    assert ended["outcome"].startswith("Verified: traffic not served as decided 0 % (healthy; edge serves v2 100 %")
    assert decided.incident(2).state is State.RESOLVED
    looks(decided)
    assert said(decided).verdict is Verdict.HEALTHY


def test_another_split_than_the_decided_one_cannot_be_asked_for(decided):
    decided.splitter.restart()
    looks(decided)

    with pytest.raises(propose.NotAllowed, match="is not a split that was decided here"):
        propose.propose(decided.desk, 2, "restore", {"split": canonical({"v1": 1.0})}, by=decided.person("ana"))


def test_where_the_decided_split_is_served_no_playbook_puts_it_back(decided):
    decided.log.gap = 0.02
    decided.measures("latency", lambda _then, _now: iter([Measurement("p95", 900.0, 10_000, reference=20.0)]))
    decided.looks(2)

    assert [p["name"] for p in propose.options(decided.desk, 2)["playbooks"]] == ["rollback"]


def test_resolving_it_keeps_what_is_served(decided):
    decided.splitter.restart()
    looks(decided)
    resolve.resolve(decided.desk, 2, by=decided.person("bo"), cause="v3 was mended by hand.")

    looks(decided)

    assert len(decided.incidents()) == 2
    assert "decided was v3 100 %" in said(decided).reason
    assert said(decided).verdict is Verdict.HEALTHY


def test_a_later_run_decides_anew(decided):
    decided.splitter.restart()
    looks(decided)
    resolve.resolve(decided.desk, 2, by=decided.person("bo"), cause="v3 was mended by hand.")
    decided.splitter.restart()
    decided.splitter.somebody_sets("v1")
    looks(decided)

    put_back(decided, 3)

    assert decided.splitter.split("delays") == {"v1": 0.0, "v2": 0.0, "v3": 1.0}


def test_what_nobody_can_read_cannot_be_kept(decided):
    decided.splitter.restart()
    looks(decided)
    decided.splitter.down = True

    with pytest.raises(ActionFailed, match="gave no answer"):
        resolve.resolve(decided.desk, 2, by=decided.person("bo"), cause="fine")
    assert decided.incident(2).open


def test_a_splitter_that_does_not_answer_is_unknown_and_wakes_nobody(decided):
    decided.splitter.down = True
    looks(decided)

    assert (said(decided).verdict, said(decided).reason) == (Verdict.UNKNOWN, "The splitter gave no answer.")
    assert len(decided.incidents()) == 1


def test_it_comes_back_by_itself_when_somebody_puts_it_back_by_hand(decided):
    decided.splitter.restart()
    looks(decided)
    decided.splitter.somebody_sets("v2")
    looks(decided)

    assert (decided.incident(2).state, decided.incident(2).cause) == (State.RESOLVED, "It came back to normal without any action.")


def test_while_a_run_is_at_work_nothing_is_held_against_it(decided):
    decided.splitter.restart()
    looks(decided)
    proposal = propose.propose(decided.desk, 2, "restore", {}, by=decided.person("ana"))
    decide.approve(decided.desk, proposal.id, by=decided.person("bo"))

    assert reconcile(decided.desk) == 0


def test_a_run_that_put_everything_back_decides_nothing(decided):
    decided.splitter.restart()
    looks(decided)
    decided.splitter.troubles = ["refuses"]

    assert put_back(decided)["state"] == "compensated"
    looks(decided)
    assert "decided was v2 100 %" in said(decided).reason


def test_a_run_that_got_stuck_leaves_what_nobody_has_decided(room):
    room.losing()
    number = room.approved().id
    room.splitter.troubles = ["", "refuses", "refuses", "refuses"]

    assert room.runs(number)["state"] == "failed"
    assert reconcile(room.desk) == 0


def test_broken_data_do_not_hide_it(decided):
    decided.log.missing = 0.9
    decided.looks(2)
    decided.splitter.restart()
    looks(decided)

    assert {i.family for i in decided.incidents() if i.open} == {Family.DATA_QUALITY, Family.OPERATIONS}


def test_two_watches_troubles_of_one_family_are_one_incident_that_closes_when_both_are_over(decided):
    slow = [900.0]
    decided.measures("latency", lambda _then, _now: iter([Measurement("p95", slow[0], 10_000, reference=20.0)]))
    decided.looks(2)
    decided.splitter.restart()
    looks(decided)
    assert {f.check for f in decided.incident(2).findings} == {"latency", SERVED}

    decided.splitter.somebody_sets("v2")
    looks(decided)
    assert [f.check for f in decided.incident(2).findings] == ["latency"]
    assert decided.incident(2).open

    slow[0] = 20.0
    decided.looks(2)
    assert not decided.incident(2).open


def test_where_a_policy_says_so_the_bot_puts_it_back_by_itself_and_asks_once_that_did_not_last(decided):
    auto = replace(decided.policy, auto_per_day=3)
    decided.lays(policies={"rollback": decided.policy, "restore": auto})
    for _ in range(2):
        decided.splitter.restart()
        looks(decided)
        heal_all(decided.desk)
        newest = decided.incidents()[0].id
        with decided.store.read() as unit:
            (proposal,) = unit.proposals(incident=newest)
        if proposal.decided_by:
            decided.runs(proposal.id)

    assert decided.incident(2).state is State.RESOLVED
    assert (newest, proposal.standing, proposal.plan.playbook) == (3, Standing.WAITING, "restore")
    assert "what 'restore' had mended by itself in #2 came back after" in decided.thread(3)
