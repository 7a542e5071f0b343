"""One suite for every `Store`: the fake in memory, SQLite and PostgreSQL keep the same promises."""

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from bot.core.approvals import Standing
from bot.core.audit import GENESIS, first_break
from bot.core.errors import Conflict, NotFound
from bot.core.findings import Verdict
from bot.core.incidents import State
from bot.core.lines import Line, Lines
from bot.core.ports import Store
from bot.core.profiles import CategoryProfile, NumericProfile
from bot.core.readings import Operations, Outcomes, Reading
from bot.core.runs import RunState
from tests.fakes.nouns import (
    DAY,
    NOON,
    a_finding,
    a_note,
    a_notice,
    a_plan,
    a_proposal,
    a_run,
    a_vote,
    an_entry,
    an_incident,
)

HOUR = timedelta(hours=1)
RACERS = 20


@pytest.fixture
def told(store: Store) -> Store:
    """A store with incident #1 and its proposal p1."""
    with store.write() as unit:
        unit.open_incident(an_incident())
        unit.add_proposal(a_proposal())
    return store


def _write_and_fail(store: Store) -> None:
    with suppress(ZeroDivisionError), store.write() as unit:
        unit.open_incident(an_incident())
        unit.audit(an_entry("undone"))
        unit.announce(a_notice())
        raise ZeroDivisionError


# transactions


def test_an_exception_leaves_nothing_behind(store: Store):
    _write_and_fail(store)

    with store.read() as unit:
        assert (list(unit.incidents()), list(unit.audit_rows(5))) == ([], [])


def test_a_reading_unit_refuses_to_write(store: Store):
    with store.read() as unit, pytest.raises(RuntimeError, match=r"use store\.write"):
        unit.open_incident(an_incident())


def test_a_write_within_a_write_of_the_same_thread_is_refused_instead_of_waiting_for_itself(store: Store):
    with store.write(), pytest.raises(RuntimeError, match="writing already"), store.write():
        pass


def test_a_reader_sees_nothing_of_an_unfinished_write(store: Store):
    with store.write() as writer, store.read() as reader:
        writer.open_incident(an_incident())

        assert list(reader.incidents()) == []


def test_a_writer_sees_its_own_changes(store: Store):
    with store.write() as unit:
        unit.open_incident(an_incident())

        assert [i.id for i in unit.incidents()] == [1]


# incidents


def test_an_incident_comes_back_as_it_was_written(store: Store):
    with store.write() as unit:
        opened = unit.open_incident(an_incident())

    with store.read() as unit:
        assert unit.incident(1) == opened == an_incident(id=1, version=1)


def test_a_second_incident_of_the_same_key_is_not_opened(told: Store):
    with told.write() as unit:
        assert unit.open_incident(an_incident(title="again")) is None


def test_a_resolved_incident_frees_its_key_and_the_next_one_gets_the_next_number(told: Store):
    with told.write() as unit:
        unit.save_incident(unit.incident(1).moved(State.RESOLVED))
        again = unit.open_incident(an_incident())

    assert again is not None
    assert (again.id, again.key) == (2, an_incident().key)


def test_the_open_incident_is_found_by_its_key_and_only_while_it_is_open(told: Store):
    with told.write() as unit:
        found = unit.open_for(an_incident().key)
        unit.save_incident(unit.incident(1).moved(State.RESOLVED))
        gone = unit.open_for(an_incident().key)

    assert (found and found.id, gone) == (1, None)


def test_a_write_over_somebody_elses_is_a_conflict_and_changes_nothing(told: Store):
    with told.write() as unit:
        mine = unit.incident(1)
        unit.save_incident(replace(mine, cause="theirs"))

    with pytest.raises(Conflict, match="look again"), told.write() as unit:
        unit.save_incident(replace(mine, cause="mine"))
    with told.read() as unit:
        assert unit.incident(1).cause == "theirs"


def test_a_conflict_that_is_caught_leaves_the_rest_of_the_transaction_alive(told: Store):
    with told.write() as unit:
        unit.save_incident(unit.incident(1))
        with pytest.raises(Conflict):
            unit.save_incident(an_incident(id=1, version=1))
        unit.audit(an_entry())

    with told.read() as unit:
        assert (unit.incident(1).version, len(unit.audit_rows(9))) == (2, 1)


def test_reopening_beside_another_open_incident_is_a_conflict(told: Store):
    with told.write() as unit:
        closed = unit.save_incident(unit.incident(1).moved(State.RESOLVED))
        unit.open_incident(an_incident())

    with pytest.raises(Conflict, match="open for"), told.write() as unit:
        unit.save_incident(replace(closed, state=State.OPEN))


@pytest.mark.parametrize("ask", [lambda u: u.incident(9), lambda u: u.proposal("p9"), lambda u: u.run("r9")])
def test_what_is_not_there_is_named(store: Store, ask: Callable[[Any], object]):
    with store.read() as unit, pytest.raises(NotFound, match="9"):
        ask(unit)


def test_incidents_come_newest_first_and_can_be_narrowed(store: Store):
    with store.write() as unit:
        for model in ("a", "b", "c"):
            unit.open_incident(an_incident(model=model))
        unit.save_incident(unit.incident(2).moved(State.RESOLVED))

    with store.read() as unit:
        assert [i.id for i in unit.incidents()] == [3, 2, 1]
        assert [i.id for i in unit.incidents(open_only=True)] == [3, 1]
        assert [i.id for i in unit.incidents(model="c@production")] == [3]
        assert [i.id for i in unit.incidents(limit=1)] == [3]


def test_a_note_is_kept_once(store: Store):
    with store.write() as unit:
        assert [unit.note(a_note()), unit.note(a_note(at=NOON + HOUR)), unit.note(a_note(text="other"))] == [True, False, True]


def test_notes_come_oldest_first_from_a_moment_on(store: Store):
    with store.write() as unit:
        for hours, model in ((3, "a"), (1, "b"), (2, "b")):
            unit.note(a_note(model=model, at=NOON + hours * HOUR, text=f"{hours}"))

    with store.read() as unit:
        assert [n.at for n in unit.notes(NOON + 2 * HOUR)] == [NOON + 2 * HOUR, NOON + 3 * HOUR]
        assert [n.at for n in unit.notes(NOON, "b@production")] == [NOON + HOUR, NOON + 2 * HOUR]


# findings and references


def test_the_same_slot_again_replaces_what_a_check_found_there_and_leaves_other_checks_alone(store: Store):
    with store.write() as unit:
        unit.record(NOON, [a_finding(subject="x"), a_finding(subject="y"), a_finding(check="ks", subject="x")])
        unit.record(NOON, [a_finding(subject="x", value=9.0)])

    with store.read() as unit:
        assert [(f.check, f.subject, f.value) for f in unit.latest()] == [("ks", "x", 0.31), ("psi", "x", 9.0)]


def test_a_slot_where_nothing_was_found_is_no_error(store: Store):
    with store.write() as unit:
        unit.record(NOON, [])

        assert list(unit.latest()) == []


def test_recent_verdicts_come_newest_first_and_stop_before_the_slot(store: Store):
    verdicts = [Verdict.HEALTHY, Verdict.WARNING, Verdict.CRITICAL, Verdict.UNKNOWN]
    with store.write() as unit:
        for hour, verdict in enumerate(verdicts):
            unit.record(NOON + hour * HOUR, [a_finding(verdict=verdict)])

    with store.read() as unit:
        recent = unit.recent("delays@production", a_finding().key, NOON + 3 * HOUR, 2)
    assert list(recent) == [Verdict.CRITICAL, Verdict.WARNING]


def test_history_keeps_the_newest_and_tells_them_oldest_first(store: Store):
    with store.write() as unit:
        for hour in range(5):
            unit.record(NOON + hour * HOUR, [a_finding(value=float(hour))])

    with store.read() as unit:
        assert [f.value for f in unit.history("delays@production", a_finding().key, limit=3)] == [2.0, 3.0, 4.0]


def test_latest_tells_each_checks_own_newest_slot(store: Store):
    with store.write() as unit:
        unit.record(NOON, [a_finding(check="loss", subject="m"), a_finding()])
        unit.record(NOON + HOUR, [a_finding(value=2.0)])
        unit.record(NOON, [a_finding(model="other@production")])

    with store.read() as unit:
        assert [(f.model[:5], f.check, f.value) for f in unit.latest()] == [
            ("delay", "loss", 0.31),
            ("delay", "psi", 2.0),
            ("other", "psi", 0.31),
        ]
        assert {f.model for f in unit.latest("other@production")} == {"other@production"}


@pytest.mark.parametrize("subject", ["a\x00b", "x" * 5_000, "\ud800", "<!channel>", "'; DROP TABLE findings; --", "Ünï 🛩"])
def test_a_hostile_subject_is_kept_and_found_again(store: Store, subject: str):
    finding = a_finding(subject=subject, value=float("inf"), reference=float("-inf"))
    with store.write() as unit:
        unit.record(NOON, [finding, a_finding(subject=subject + "!")])

    with store.read() as unit:
        assert list(unit.history("delays@production", ("psi", subject))) == [finding]


def test_measured_lines_come_back_under_their_fingerprint_only(store: Store):
    lines = Lines((Line("psi", "tem'p", 0.14, "at most 1 false incident in 30 d"),), 200, 0.02)
    with store.write() as unit:
        unit.save_lines("delays@production", "daily", "f1", lines)

    with store.read() as unit:
        assert unit.lines("delays@production", "daily", "f1") == lines
        assert unit.lines("delays@production", "daily", "f2") is None
        assert unit.lines("delays@production", "hourly", "f1") is None


def test_lines_of_another_fingerprint_take_the_place_of_the_earlier_ones(store: Store):
    for mark in ("f1", "f2"):
        with store.write() as unit:
            unit.save_lines("delays@production", "daily", mark, Lines(trouble=mark))

    with store.read() as unit:
        assert unit.lines("delays@production", "daily", "f1") is None
        assert unit.lines("delays@production", "daily", "f2") == Lines(trouble="f2")


def test_a_reference_comes_back_with_its_arrays(store: Store):
    numeric = NumericProfile(
        rows=9,
        nulls=1,
        nans=1,
        infinities=0,
        cuts=np.array([1.0, 2.0]),
        below=np.array([0, 3]),
        up_to=np.array([3, 7]),
        sum_up_to=np.array([3.0, 11.0]),
        edges=np.array([1.5]),
        bins=np.array([3, 4]),
        low=-np.inf,
        high=2.0,
        mean=float("nan"),
        squares=1.0,
    )
    outcomes = Outcomes(np.array([0.2]), np.array([True]), np.array(["v1"]), np.array([7]), 3, NOON)
    columns = {"temp": numeric, "$carrier": CategoryProfile(9, 0, {"$time": 5, "AA": 4}, distinct=2)}
    reading = Reading(DAY, 9, columns, {"temp": "numeric"}, outcomes, Operations(9, 0, np.array([1.5])), NOON, {"v1": 9})
    with store.write() as unit:
        unit.save_reference("delays@production", "f1", replace(reading, rows=1))
        unit.save_reference("delays@production", "f1", reading)

    with store.read() as unit:
        back = unit.reference("delays@production", "f1")
        assert unit.reference("delays@production", "f2") is None
    assert back is not None
    assert (back.window, back.rows, back.kinds, back.newest, back.versions) == (DAY, 9, {"temp": "numeric"}, NOON, {"v1": 9})
    temp = back.columns["temp"]
    assert isinstance(temp, NumericProfile)
    assert (temp.cuts.tolist(), temp.below.tolist(), temp.low, np.isnan(temp.mean)) == ([1.0, 2.0], [0, 3], -np.inf, True)
    carrier = back.columns["$carrier"]
    assert isinstance(carrier, CategoryProfile)
    assert carrier.counts == {"$time": 5, "AA": 4}
    assert back.outcomes is not None
    assert (back.outcomes.labels.tolist(), back.outcomes.versions.tolist(), back.outcomes.awaited) == ([True], ["v1"], 3)
    assert back.operations is not None
    assert back.operations.latencies_ms.tolist() == [1.5]


# proposals, votes, runs


def test_a_proposal_comes_back_with_the_plan_that_was_hashed(told: Store):
    with told.read() as unit:
        back = unit.proposal("p1")

    assert back == a_proposal()
    assert back.plan.hash == a_plan().hash


def test_the_same_proposal_twice_is_a_conflict(told: Store):
    with pytest.raises(Conflict, match="p1"), told.write() as unit:
        unit.add_proposal(a_proposal())


def test_a_proposal_for_no_incident_is_refused(store: Store):
    with pytest.raises(NotFound, match="#7"), store.write() as unit:
        unit.add_proposal(a_proposal(incident=7))


def test_a_run_for_no_incident_is_refused(store: Store):
    with pytest.raises(NotFound, match="#7"), store.write() as unit:
        unit.save_run(a_run(incident=7))


def test_proposals_come_newest_first_and_can_be_narrowed(told: Store):
    with told.write() as unit:
        unit.open_incident(an_incident(model="other"))
        unit.add_proposal(a_proposal("p2", proposed_at=NOON + HOUR))
        unit.add_proposal(a_proposal("p3", incident=2))
        unit.close_proposal(unit.proposal("p1").closed(Standing.REJECTED, by="U2", at=NOON))

    with told.read() as unit:
        assert [p.id for p in unit.proposals()] == ["p2", "p3", "p1"]
        assert [p.id for p in unit.proposals(incident=1)] == ["p2", "p1"]
        assert [p.id for p in unit.proposals(waiting=True)] == ["p2", "p3"]


def test_only_the_first_decision_counts(told: Store):
    with told.write() as unit:
        first = unit.close_proposal(a_proposal().closed(Standing.APPROVED, by="U2", at=NOON))
        second = unit.close_proposal(a_proposal().closed(Standing.REJECTED, by="U3", at=NOON))

    with told.read() as unit:
        stands = unit.proposal("p1")
    assert (first, second, stands.standing, stands.decided_by) == (True, False, Standing.APPROVED, "U2")


def test_a_proposal_cannot_be_closed_without_a_decision(told: Store):
    with pytest.raises(ValueError, match="waiting"), told.write() as unit:
        unit.close_proposal(a_proposal())


def test_a_person_votes_once(told: Store):
    with told.write() as unit:
        assert [unit.add_vote(a_vote()), unit.add_vote(a_vote(approve=False)), unit.add_vote(a_vote(by="U3"))] == [
            True,
            False,
            True,
        ]
        assert [(v.by, v.approve) for v in unit.votes("p1")] == [("U2", True), ("U3", True)]


def test_a_vote_on_no_proposal_is_refused(store: Store):
    with pytest.raises(NotFound, match="p7"), store.write() as unit:
        unit.add_vote(a_vote("p7"))


def test_a_run_is_saved_again_over_itself_and_comes_back(told: Store):
    with told.write() as unit:
        unit.save_run(a_run())
        unit.save_run(a_run(state=RunState.RUNNING, progress=("v1 10 %",), result={"share": 0.1}))

    with told.read() as unit:
        assert unit.run("p1") == a_run(state=RunState.RUNNING, progress=("v1 10 %",), result={"share": 0.1})


def test_progress_does_not_overwrite_a_stop_that_was_asked_for(told: Store):
    with told.write() as unit:
        unit.save_run(a_run(abort_by="U3"))
        unit.save_run(a_run(state=RunState.RUNNING))

    with told.read() as unit:
        assert unit.run("p1").abort_by == "U3"


def test_runs_come_newest_first_and_can_be_narrowed(told: Store):
    with told.write() as unit:
        unit.save_run(a_run("r1", state=RunState.SUCCEEDED))
        unit.save_run(a_run("r2", queued_at=NOON + HOUR))
        unit.save_run(a_run("r3", model="other", queued_at=NOON + 2 * HOUR))

    with told.read() as unit:
        assert [r.id for r in unit.runs()] == ["r3", "r2", "r1"]
        assert [r.id for r in unit.runs(active=True)] == ["r3", "r2"]
        assert [r.id for r in unit.runs(model="delays@production")] == ["r2", "r1"]
        assert list(unit.runs(incident=2)) == []


def test_a_proposal_is_written_anew_only_while_it_stands_as_the_writer_believes(store: Store):
    with store.write() as unit:
        unit.open_incident(an_incident())
        unit.add_proposal(a_proposal())
        assert unit.save_proposal(a_proposal(escalated=True))
        assert not unit.save_proposal(a_proposal("p2"))
        unit.close_proposal(a_proposal().closed(Standing.REJECTED, by="U2", at=NOON))
        assert not unit.save_proposal(a_proposal())

    with store.read() as unit:
        assert unit.proposal("p1").standing is Standing.REJECTED


# the record


def test_audit_rows_are_numbered_without_gaps_and_chained(store: Store):
    with store.write() as unit:
        rows = [unit.audit(an_entry(f"a{i}")) for i in range(3)]
    _write_and_fail(store)
    with store.write() as unit:
        rows.append(unit.audit(an_entry("a3")))

    with store.read() as unit:
        kept = unit.audit_rows(9)
    assert list(kept) == rows
    assert ([r.seq for r in kept], kept[0].prev) == ([1, 2, 3, 4], GENESIS)
    assert first_break(kept, [r.hash for r in kept]) is None


def test_the_newest_audit_rows_come_newest_last(store: Store):
    with store.write() as unit:
        for i in range(5):
            unit.audit(an_entry(f"a{i}"))
        newest = unit.audit_rows(2)

    assert [r.entry.action for r in newest] == ["a3", "a4"]


def test_an_audit_payload_of_any_kind_hashes_the_same_when_read_back(store: Store):
    payload = {"share": 0.1, "at": NOON, "who": {"b", "a"}, "nul\x00": "\ud800", "nan": float("nan"), 10: (1, None, True), 9: {}}
    with store.write() as unit:
        written = unit.audit(an_entry(payload=payload, target="x\x00y"))

    with store.read() as unit:
        [read] = unit.audit_rows(1)
    assert (read.hash, read.entry.payload["share"]) == (written.hash, "0.1")


# races


def _race(store: Store, run: Callable[[Any, int], object]) -> list[object]:
    """Let 20 threads do it at once, each in its own writing transaction; return what came out, errors by their class."""
    start, results = threading.Barrier(RACERS), [None] * RACERS

    def racer(number: int) -> None:
        start.wait()
        try:
            with store.write() as unit:
                results[number] = run(unit, number)
        except Conflict as error:
            results[number] = type(error)

    threads = [threading.Thread(target=racer, args=(n,)) for n in range(RACERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_of_twenty_that_open_the_same_incident_exactly_one_does(store: Store):
    opened = _race(store, lambda unit, _: unit.open_incident(an_incident()))

    assert len([i for i in opened if i]) == 1


def test_of_twenty_that_decide_exactly_one_does(told: Store):
    closed = _race(told, lambda unit, n: unit.close_proposal(a_proposal().closed(Standing.APPROVED, by=f"U{n}", at=NOON)))

    with told.read() as unit:
        assert (closed.count(True), f"U{closed.index(True)}") == (1, unit.proposal("p1").decided_by)


def test_of_twenty_clicks_of_one_person_exactly_one_counts(told: Store):
    assert _race(told, lambda unit, _: unit.add_vote(a_vote())).count(True) == 1


def test_of_twenty_people_exactly_one_sees_that_the_quorum_is_reached(told: Store):
    def vote(unit: Any, number: int) -> bool:
        unit.add_vote(a_vote(by=f"U{number}"))
        reached = len(unit.votes("p1")) >= 2
        return reached and unit.close_proposal(a_proposal().closed(Standing.APPROVED, by=f"U{number}", at=NOON))

    assert _race(told, vote).count(True) == 1


def test_of_twenty_that_change_the_version_they_read_one_wins_and_the_rest_are_told(told: Store):
    with told.read() as unit:
        seen = unit.incident(1)

    saved = _race(told, lambda unit, n: unit.save_incident(replace(seen, cause=f"{n}")))

    assert saved.count(Conflict) == RACERS - 1


def test_nothing_is_lost_when_twenty_read_change_and_write_in_one_transaction(told: Store):
    def add(unit: Any, number: int) -> None:
        incident = unit.incident(1)
        unit.save_incident(replace(incident, cause=incident.cause + f" {number}"))

    _race(told, add)

    with told.read() as unit:
        assert sorted(map(int, unit.incident(1).cause.split())) == list(range(RACERS))


def test_twenty_that_append_at_once_leave_no_gap_in_the_audit_log(store: Store):
    def append(unit: Any, number: int) -> None:
        for i in range(3):
            unit.audit(an_entry(f"{number}.{i}"))

    _race(store, append)

    with store.read() as unit:
        rows = unit.audit_rows(1000)
    assert [r.seq for r in rows] == list(range(1, 3 * RACERS + 1))
    assert first_break(rows, [r.hash for r in rows]) is None
