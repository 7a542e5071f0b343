"""Small true nouns for tests that need some, and care about little of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.actions import Change, Plan, Verification
from bot.core.approvals import Policy, Proposal, Vote
from bot.core.audit import AuditEntry
from bot.core.checks import Family
from bot.core.findings import Finding, Verdict
from bot.core.holds import Hold, Kind
from bot.core.incidents import Incident, Note, Severity, State
from bot.core.notices import Notice
from bot.core.runs import Run, RunState
from bot.core.windows import Window

NOON = datetime(2013, 7, 1, 12, tzinfo=UTC)
DAY = Window.ending(NOON, timedelta(days=1))


def a_finding(**changes: Any) -> Finding:
    finding = Finding("delays@production", "psi", Family.DRIFT, "temperature", Verdict.WARNING, "moved", DAY, "index", 0.31, n=912)
    return replace(finding, **changes)


def an_incident(**changes: Any) -> Incident:
    incident = Incident(
        id=0,
        model="delays",
        environment="production",
        family=Family.PERFORMANCE,
        severity=Severity.SEV2,
        state=State.OPEN,
        title="Loses 12 % against its reference",
        team="ml-platform",
        opened_at=NOON,
        window=DAY,
        findings=(a_finding(),),
        evidence={"rows": 912, "share": 0.1, "since": NOON, "versions": ["v1", "v2"]},
    )
    return replace(incident, **changes)


def a_note(**changes: Any) -> Note:
    return replace(Note("delays", "production", NOON, DAY, "Warmer than ever, no loss."), **changes)


def a_plan(**changes: Any) -> Plan:
    change = Change("shift", "set_split", "delays", {"v3": 1.0}, {"v1": 1.0}, "v3 100 % → v1 100 %", 5.0, 0.03)
    plan = Plan("rollback", "5eed", "delays", "production", (change,), Verification(("loss",), 300, 3600.0), {"to": "v1"})
    return replace(plan, **changes)


def a_proposal(number: str = "p1", incident: int = 1, **changes: Any) -> Proposal:
    policy = Policy(frozenset({"approver", "owner"}), quorum=2)
    at, until = NOON, NOON + timedelta(hours=4)
    proposal = Proposal(number, incident, "delays", "production", a_plan(), "U1", at, until, policy, preview={"loss": -0.02})
    return replace(proposal, **changes)


def a_vote(proposal: str = "p1", by: str = "U2", **changes: Any) -> Vote:
    return replace(Vote(proposal, by, approve=True, at=NOON), **changes)


def a_hold(subject: str = "", **changes: Any) -> Hold:
    return replace(Hold(Kind.PAUSE, subject, "U1", NOON, "the edge is being moved"), **changes)


def a_run(number: str = "p1", incident: int = 1, **changes: Any) -> Run:
    run = Run(number, number, incident, "delays", "production", a_plan(), RunState.QUEUED, NOON)
    return replace(run, **changes)


def an_entry(action: str = "opened", **changes: Any) -> AuditEntry:
    return replace(AuditEntry(NOON, "U1", action, "incident:1", 1, {"why": "loss"}), **changes)


def a_notice(key: str = "incident:1", **changes: Any) -> Notice:
    return replace(Notice(key, "#ml-alerts", "incident", {"title": "Loses"}), **changes)
