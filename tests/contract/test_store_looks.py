"""What many looks at once ask of a store and write down: the fake in memory and both databases."""

from bot.core.incidents import State
from bot.core.ports import Store
from bot.core.runs import RunState
from tests.fakes.nouns import NOON, a_finding, a_proposal, a_run, an_incident


def test_several_models_are_recorded_at_once_each_with_its_own_checks(store: Store):
    with store.write() as unit:
        unit.record(NOON, [a_finding(), a_finding(check="ks"), a_finding(model="b@production")])
        unit.record(NOON, [a_finding(subject="new"), a_finding(model="b@production", check="ks")])

    with store.read() as unit:
        found = [(f.model[:1], f.check, f.subject) for f in unit.latest()]
    assert found == [("b", "ks", "temperature"), ("b", "psi", "temperature"), ("d", "ks", "temperature"), ("d", "psi", "new")]


def test_troubled_are_those_models_that_were_asked_for_and_have_an_open_incident(store: Store):
    with store.write() as unit:
        for name, state in (("a", State.OPEN), ("b", State.RESOLVED), ("c", State.ACKNOWLEDGED), ("d\x00<!channel>", State.OPEN)):
            unit.open_incident(an_incident(model=name, state=state))

    with store.read() as unit:
        found = unit.troubled(["a@production", "b@production", "d\x00<!channel>@production", "nobody@production"])
        assert found == {"a@production", "d\x00<!channel>@production"}
        assert unit.troubled([]) == frozenset()


def test_runs_of_several_models_come_in_one_question_and_as_they_are_now(store: Store):
    with store.write() as unit:
        unit.open_incident(an_incident())
        unit.add_proposal(a_proposal())
    with store.write() as unit:
        unit.save_run(a_run("p1"))
        unit.save_run(a_run("p2", model="other"))
    asked = ["delays@production", "nobody@production"]
    with store.read() as unit:
        first = unit.runs_of(asked)
    with store.write() as unit:
        unit.save_run(a_run("p1", state=RunState.SUCCEEDED))

    with store.read() as unit:
        second = unit.runs_of(asked)
    assert {model: [(r.id, r.state) for r in runs] for model, runs in first.items()} == {
        "delays@production": [("p1", RunState.QUEUED)],
        "nobody@production": [],
    }
    assert [r.state for r in second["delays@production"]] == [RunState.SUCCEEDED]
