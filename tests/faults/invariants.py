"""I1 to I8, each from what can be seen outside the bot: Slack's messages, the target's door, the callers, the database, the log."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from json import dumps
from typing import TYPE_CHECKING, Any

from bot.core.approvals import Standing
from bot.core.audit import AuditRow, first_break
from bot.core.incidents import State
from bot.core.runs import Run, RunState
from bot.slack.client import web_client
from tests.faults.edge import EARLIER, SET, STATE, Call
from tests.faults.papers import PLACE

if TYPE_CHECKING:
    from tests.faults.house import House

WITNESS = re.compile(r"audit #(\d+) · ([0-9a-f]{12})")
CERTAIN_S = 30.0


def hold(house: "House") -> None:
    """Fail with the invariant that does not hold."""
    rows = house.read(lambda unit: unit.audit_rows(1_000_000))
    messages = list(posted(house))
    nothing_acknowledged_is_lost(house, rows)
    effects_happened_once(house)
    one_thread_an_incident(house, messages)
    the_record_is_whole(rows)
    nothing_ran_without_approval(house, rows)
    serving_never_noticed(house)
    no_secret_got_out(house, rows, messages)
    it_recovered_in_time(house)
    nothing_is_resolved_by_mistake(house)


def posted(house: "House") -> Iterator[Mapping[str, Any]]:
    """Yield every message of the channel and its threads, as Slack's history has it."""
    client = web_client(house.slack.app.bot_token, house.slack.api_url)
    for root in client.conversations_history(channel=PLACE, include_all_metadata=True, limit=999)["messages"]:
        yield from client.conversations_replies(channel=PLACE, ts=root["ts"], include_all_metadata=True, limit=999)["messages"]


def nothing_acknowledged_is_lost(house: "House", rows: list[AuditRow]) -> None:
    """I1: every audit row that a message shows is there, and so is every vote whose click was taken."""
    known = {row.seq: row.hash[:12] for row in rows}
    shown = {(int(seq), digest) for person in house.people.values() for seq, digest in WITNESS.findall(person.screen())}
    assert shown, "no message shows an audit row"
    assert {(seq, known.get(seq)) for seq, _ in shown} == shown, "I1: a message shows an audit row that is not there"
    voted = {row.entry.actor for row in rows if row.entry.action in ("vote.approved", "vote.refused")}
    assert taken_clicks(house) <= voted, "I1: somebody's click was taken and left no trace"


def taken_clicks(house: "House") -> set[str]:
    """Return who pressed Approve and was told by Slack that the app had taken it."""
    told = [call for call in house.slack.calls() if call["direction"] == "out" and call["status"] == "ok"]
    clicks = [call["request"] for call in told if isinstance(call["request"], dict) and call["request"].get("actions")]
    return {click["user"]["id"] for click in clicks if click["actions"][0]["action_id"] == "approve"}


def effects_happened_once(house: "House") -> None:
    """I2: what the target was told is the plan, step by step; a step is repeated only when a kill cut off its answer."""
    told = [list(group) for _, group in groupby(house.edge.door.sets, key=lambda call: round(call.share, 4))]
    shares = [round(group[0].share, 4) for group in told]
    assert shares == [share for run in reversed(house.runs) for share in planned(house, run)], "I2: the target was told otherwise"
    assert sum(len(group) - 1 for group in told) <= house.killed_inside, "I2: a step was carried out again"
    for group in told:
        assert not _asked_between(house.edge.door.calls, group), "I2: a step was repeated after it had been read back"


def planned(house: "House", run: Run) -> list[float]:
    """Return the shares of the earlier version that a run leads to: its steps as far as they were tried, and back again."""
    intended = {row.entry.target for row in house.audited("step.intended")}
    tried = [change for change in run.plan.changes if change.action == "set_traffic" and f"{run.id}:{change.step}" in intended]
    there = [round(float(change.after.get(EARLIER, 0.0)), 4) for change in tried]  # type: ignore[arg-type]
    back = [round(float(change.before.get(EARLIER, 0.0)), 4) for change in reversed(tried)]  # type: ignore[arg-type]
    return there + (back if run.state is RunState.COMPENSATED else [])


def _asked_between(calls: list[Call], group: list[Call]) -> bool:
    """Whether the state was read between the first and the last of these settings: by then the step was recorded."""
    return any(call.path == STATE and group[0].at < call.at < group[-1].at for call in calls if call.path != SET)


def one_thread_an_incident(house: "House", messages: list[Mapping[str, Any]]) -> None:
    """I3: each thing that people should see stands there once, and each incident has one root."""
    keys = Counter(((m.get("metadata") or {}).get("event_payload") or {}).get("key", "") for m in messages)
    keys.pop("", None)  # pictures
    assert {key: n for key, n in keys.items() if n != 1} == {}, "I3: a message stands there twice"
    roots = [m for m in messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    named = [m["metadata"]["event_payload"]["key"] for m in roots if m.get("metadata")]
    assert sorted(key for key in named if key.startswith("incident:")) == sorted(f"incident:{i.id}" for i in house.incidents)
    assert house.outbox.failures() == [], "I3: a message was given up"


def the_record_is_whole(rows: list[AuditRow]) -> None:
    """I4: no gap, no break."""
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1)), "I4: the audit log has a gap"
    assert first_break(rows, [row.hash for row in rows]) is None, "I4: the audit log's chain is broken"


def nothing_ran_without_approval(house: "House", rows: list[AuditRow]) -> None:
    """I5: each run was approved by enough people, none of them its proposer, for exactly this plan, before it began."""
    for run in house.runs:
        proposal = house.read(lambda unit, run=run: unit.proposal(run.proposal))
        votes = [vote.by for vote in house.read(lambda unit, run=run: unit.votes(run.proposal)) if vote.approve]
        assert proposal.standing is Standing.APPROVED, "I5: a run without an approval"
        assert proposal.plan.hash == run.plan.hash, "I5: a run of another plan"
        assert len(set(votes)) >= proposal.policy.quorum, "I5: a run without enough votes"
        assert proposal.proposed_by not in votes, "I5: the proposer approved"
        voted, began = (
            [
                row.seq
                for row in rows
                if row.entry.action == action and row.entry.target == run.id and row.entry.payload["plan"] == run.plan.hash
            ]
            for action in ("vote.approved", "run.started")
        )
        assert len(began) <= 1, "I5: a run began twice"
        assert not began or min(voted) < began[0], "I5: a run began before its approval"
    assert house.runs or not house.edge.door.sets, "I5: the target was changed without any run"


def serving_never_noticed(house: "House") -> None:
    """I6: no caller went without a prediction, also while the bot was dead; Envoy's own outages are not the bot's."""
    callers, outages = house.edge.callers, house.edge.outages
    blamed = [(at, why) for at, why in callers.failed if not any(start <= at <= end for start, end in outages)]
    assert blamed == [], "I6: a caller got no prediction"
    assert len(callers.answered) > 50
    for start, end in house.deaths:
        assert any(start < at < end for at in callers.answered), "I6: nobody was served while the bot was dead"
        assert not any(start < call.at < end for call in house.edge.door.sets), "I6: traffic moved while the bot was dead"


def no_secret_got_out(house: "House", rows: list[AuditRow], messages: list[Mapping[str, Any]]) -> None:
    """I7: no token and no secret in Slack, log, audit or metrics."""
    sinks = {
        "Slack": dumps(messages) + "".join(person.screen() for person in house.people.values()),
        "the log": house.log(),
        "the audit log": b"".join(row.body for row in rows).decode(),
        "the metrics": house.metrics(),
    }
    secrets = {**house.tokens, **house.secrets}
    leaks = [(name, place) for name, secret in secrets.items() for place, text in sinks.items() if secret in text]
    assert leaks == [], "I7: a secret got out"


def it_recovered_in_time(house: "House") -> None:
    """I8: whatever had to come back was back in time."""
    assert {what: took for what, took in house.recoveries.items() if took > CERTAIN_S} == {}, "I8: recovery took too long"


def nothing_is_resolved_by_mistake(house: "House") -> None:
    """Only a run that was verified, or a person, closes an incident."""
    verified = {run.incident for run in house.runs if run.mended}
    assert {i.id for i in house.incidents if i.state is State.RESOLVED} == verified
