"""What the demo promised, held against Envoy, the bot's database and the Slack: the only thing that decides its exit code."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import httpx

from bot.core.audit import first_break
from bot.core.incidents import Incident, State
from bot.core.ports import Store
from bot.core.runs import RunState
from bot.core.words import duration
from bot.demo.company import DATA, INCIDENTS, MODEL, Company

AUTUMN = datetime(2013, 8, 1, tzinfo=UTC)
EVERYTHING = 1_000_000


class Proof(NamedTuple):
    """One promise, what was measured, and whether it holds."""

    promise: str
    measured: str
    holds: bool


def proofs(company: Company, store: Store) -> Iterator[Proof]:
    """Yield every promise of the story."""
    with store.read() as unit:
        incidents = list(unit.incidents())
        notes = [n for n in unit.notes(datetime(2013, 1, 1, tzinfo=UTC)) if n.window.end < AUTUMN]
    losses = [i for i in incidents if i.family.value == "performance"]
    feeds = [i for i in incidents if i.family.value == "data_quality"]
    summer = [i for i in incidents if i.window.end < AUTUMN]
    told = notes[0].text if notes else "no digest line"
    yield Proof("July's drift wakes nobody and is explained", told, not summer and bool(notes) and "not paging" in told)
    yield Proof("one incident for the autumn's loss", _opened(losses), len(losses) == 1)
    yield from _decision(store, losses)
    yield from _traffic(company, store, losses)
    yield from _resolution(store, losses)
    yield from _feed(store, feeds)
    yield _record(store)
    yield _threads(company)
    errors = company.replay.counters.errors
    yield Proof("serving was never disturbed", f"{company.replay.counters.requests:,} requests, {errors} failed", errors == 0)


def _opened(found: Sequence[Incident]) -> str:
    return (
        ", ".join(f"#{i.id} {i.severity.value} “{i.title}” on data up to {i.findings[0].window.end:%d %b}" for i in found) or "none"
    )


def _decision(store: Store, losses: Sequence[Incident]) -> Iterator[Proof]:
    with store.read() as unit:
        rows = [row.entry for row in unit.audit_rows(EVERYTHING)]
        votes = [v for i in losses for p in unit.proposals(incident=i.id) for v in unit.votes(p.id)]
    refused = [f"{e.actor}: {e.payload['reason']}" for e in rows if e.action == "vote.refused"]
    yield Proof(
        "the proposer may not approve", "; ".join(refused) or "nobody was refused", any("someone else" in r for r in refused)
    )
    approved = [v.by for v in votes if v.approve]
    yield Proof("a second person approved, once", ", ".join(approved) or "nobody", approved == ["U0BO"])
    effects = [e.target for e in rows if e.action == "step.intended"]
    yield Proof("each step was carried out once", f"{len(effects)} steps", len(effects) == len(set(effects)) == 3)


def _traffic(company: Company, store: Store, losses: Sequence[Incident]) -> Iterator[Proof]:
    admin = str(company.platform.splitter_options["admin"])
    runtime = httpx.get(f"{admin}/runtime", params={"format": "json"}, timeout=5.0, trust_env=False).json()
    values = {key: entry["final_value"] for key, entry in runtime["entries"].items() if MODEL in key}
    weights = {key.rpartition(".")[2]: value for key, value in values.items()}
    only_v2 = all(float(value) == (10_000 if "v2" in key else 0) for key, value in weights.items()) and bool(weights)
    yield Proof("Envoy itself says v2", str(weights), only_v2)
    with store.read() as unit:
        applied = [run.fresh_since for i in losses for run in unit.runs(incident=i.id) if run.fresh_since]
    after = company.answered_since(max(applied) + timedelta(hours=1)) if applied else {}
    yield Proof("and v2 answered every live request since", str(after), set(after) == {"v2"})


def _resolution(store: Store, losses: Sequence[Incident]) -> Iterator[Proof]:
    with store.read() as unit:
        runs = [run for i in losses for run in unit.runs(incident=i.id)]
    done = [run for run in runs if run.state is RunState.SUCCEEDED]
    yield Proof("fresh data closed it", done[0].outcome if done else "no run succeeded", len(done) == len(runs) == 1)
    took = [i.time_to_resolve for i in losses if i.state is State.RESOLVED and i.time_to_resolve]
    yield Proof("time to resolve was measured", ", ".join(duration(t) for t in took) or "not resolved", len(took) == 1)


def _feed(store: Store, feeds: Sequence[Incident]) -> Iterator[Proof]:
    with store.read() as unit:
        proposals = [p for i in feeds for p in unit.proposals(incident=i.id)]
    handed = [i for i in feeds if i.handed_to == "data-engineering"]
    yield Proof(
        "the lost weather feed went to data engineering, without a playbook",
        _opened(feeds),
        len(handed) == len(feeds) == 1 and not proposals,
    )


def _record(store: Store) -> Proof:
    with store.read() as unit:
        rows = unit.audit_rows(EVERYTHING)
    broken = first_break(rows, [row.hash for row in rows])
    return Proof(
        "the audit log has no gap and no break",
        f"{len(rows)} rows",
        broken is None and [r.seq for r in rows] == list(range(1, len(rows) + 1)),
    )


def _threads(company: Company) -> Proof:
    roots = {channel: company.roots(channel) for channel in (INCIDENTS, DATA)}
    return Proof("one thread an incident", str(roots), all(count == 1 for count in roots.values()))
