"""Acknowledge and resolve: by hand, with a cause, never against a run at work."""

import pytest

from bot.core.errors import Conflict
from bot.core.incidents import State
from bot.flow import resolve


def test_an_acknowledgement_is_said_once_however_often_it_is_clicked(room):
    room.losing()
    for _ in range(3):
        resolve.acknowledge(room.desk, 1, by=room.person("ana"))
    card = room.shown("incident:1")

    assert (card["state"], card["acknowledged_by"]) == ("acknowledged", "U0ANA")
    assert [b["action"] for b in card["buttons"]] == ["propose", "details", "resolve"]
    assert room.audited().count("incident.acknowledged") == room.thread().count("Acknowledged.") == 1


def test_the_second_person_is_told_that_somebody_was_first(room):
    room.losing()
    resolve.acknowledge(room.desk, 1, by=room.person("ana"))
    with pytest.raises(Conflict, match="Incident #1 is acknowledged already; its message says by whom"):
        resolve.acknowledge(room.desk, 1, by=room.person("bo"))

    assert room.incident().acknowledged_by == "U0ANA"


def test_while_a_run_is_at_work_nobody_resolves_by_hand(room):
    room.losing()
    room.approved()
    with pytest.raises(Conflict, match="A run is at work on incident #1; abort it first or wait for its verification"):
        resolve.resolve(room.desk, 1, by=room.person("ana"), cause="I know better")

    assert room.incident().state is State.MITIGATING


def test_a_resolved_incident_says_who_why_and_how_long_and_offers_no_button(room):
    room.losing()
    room.clock.passes(600)
    resolve.resolve(room.desk, 1, by=room.person("ana"), cause=" a holiday ")
    card = room.shown("incident:1")

    assert (card["resolved_by"], card["cause"], card["resolved_after_s"]) == ("U0ANA", "a holiday", 600.0)
    assert (card["buttons"], card["next_step"]) == ([], "")
    assert "Resolved: a holiday" in room.thread()


def test_a_proposal_that_another_replica_decided_meanwhile_is_not_superseded(room):
    room.losing()
    room.proposed()
    room.store.lost = {"close_proposal": False}
    resolve.resolve(room.desk, 1, by=room.person("ana"), cause="a holiday")

    assert "proposal.superseded" not in room.audited()
