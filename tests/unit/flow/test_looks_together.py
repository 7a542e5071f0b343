"""Many looks together: what is quiet shares a transaction, what is not waits for nobody."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.core.checks import Family
from bot.core.errors import StoreUnavailable
from bot.core.findings import ESTIMATED, SERVED, Verdict
from bot.core.models import Look, Persistence, Watch
from bot.flow.detect import BLIND
from bot.flow.triage import quiet, triage
from bot.flow.watch import TOGETHER, look_at_all, looks
from tests.fakes.nouns import a_finding
from tests.fakes.store import MemoryStore
from tests.fakes.world import MORNING, FakeLog
from tests.unit.flow.room import DELAYS

HOURLY = Watch("hourly", "0 * * * *", timedelta(hours=1), ("missing",), persistence=Persistence(1, 1))


class Counting(MemoryStore):
    """A store that counts transactions, and what each wrote."""

    def __init__(self):
        super().__init__()
        self.reads, self.writes = 0, []

    @contextmanager
    def read(self):
        self.reads += 1
        with super().read() as unit:
            yield unit

    @contextmanager
    def write(self):
        with super().write() as unit:
            record, written = unit.record, []
            unit.record = lambda slot, found: (written.extend(f.model for f in found), record(slot, found))
            yield unit
            self.writes.append(list(dict.fromkeys(written)))


def a_fleet(room, n, watches=(HOURLY,)):
    models = {m.key: m for m in (replace(DELAYS, name=f"m{i:02}", source=f"log{i}", watches=watches) for i in range(n))}
    store, logs = Counting(), {f"log{i}": FakeLog() for i in range(n)}
    room.lays(models=models, sources=logs, store=store)
    look_at_all(room.desk, HOURLY.cadence, MORNING - timedelta(hours=1))  # the references are stored
    store.reads, store.writes = 0, []
    return store, logs


def names(written):
    return [model.removesuffix("@production") for model in written]


def incidents(store):
    with store.read() as unit:
        return [i.model for i in unit.incidents(open_only=True)]


def test_quiet_looks_are_read_and_written_together(room):
    store, _ = a_fleet(room, TOGETHER + 3)

    looked = look_at_all(room.desk, HOURLY.cadence, MORNING)

    assert (looked, store.reads, [len(written) for written in store.writes]) == (TOGETHER + 3, 2, [TOGETHER, 3])


def test_trouble_is_written_at_once_after_what_was_found_before_it(room):
    store, logs = a_fleet(room, 5)
    logs["log2"].missing = 1.0

    look_at_all(room.desk, HOURLY.cadence, MORNING)

    assert [names(written) for written in store.writes] == [["m00", "m01", "m02"], ["m03", "m04"]]
    assert incidents(store) == ["m02"]


def test_a_model_with_an_open_incident_is_judged_when_it_is_quiet_again(room):
    store, logs = a_fleet(room, 3)
    logs["log1"].missing = 1.0
    look_at_all(room.desk, HOURLY.cadence, MORNING)
    logs["log1"].missing = 0.0

    look_at_all(room.desk, HOURLY.cadence, MORNING + timedelta(hours=1))

    assert incidents(store) == []


def test_a_later_watch_of_a_model_in_trouble_is_judged_too(room):
    other = replace(HOURLY, name="other", checks=("latency",))
    store, logs = a_fleet(room, 1, (HOURLY, other))
    logs["log0"].missing = 1.0

    look_at_all(room.desk, HOURLY.cadence, MORNING)

    assert len(store.writes) == 2


def test_slow_looks_are_not_kept_waiting_for_one_another(room):
    store, logs = a_fleet(room, 4)
    for log in logs.values():
        log.reading = slowly(room, log.reading)

    look_at_all(room.desk, HOURLY.cadence, MORNING)

    assert [names(written) for written in store.writes] == [["m00", "m01"], ["m02", "m03"]]


def slowly(room, reading):
    def read(*asked, **how):
        room.clock.passes(3)
        return reading(*asked, **how)

    return read


def test_a_database_that_goes_away_amid_many_looks_loses_none_of_those_written(room):
    store, logs = a_fleet(room, 4)
    logs["log1"].missing = 1.0
    logs["log3"].reading = away

    with pytest.raises(StoreUnavailable):
        looks(room.desk, [(m, HOURLY) for m in room.desk.models.values()], MORNING)

    assert incidents(store) == ["m01"]
    assert [names(written) for written in store.writes] == [["m00", "m01"]]


def away(*_asked, **_how):
    raise StoreUnavailable("The database is locked; try again.")


CHECKS = ("performance", "missing", "psi", ESTIMATED, SERVED, BLIND)


@pytest.mark.parametrize(("family", "check"), list(product(Family, CHECKS)), ids=str)
def test_what_is_quiet_gives_triage_nothing_to_do(room, family, check):
    for verdict in Verdict:
        found = [
            a_finding(family=family, check=check, subject=subject, verdict=verdict, slice=part)
            for subject, part in product((DELAYS.primary, "temp", "score", "model"), ("", "origin=JFK"))
        ]
        if not quiet(found):
            continue
        with room.store.write() as unit:
            triage(room.desk, unit, room.model, Look(replace(HOURLY, persistence=Persistence(1, 1)), MORNING), found)

    assert (list(room.incidents()), list(room.store.audit_log), dict(room.store.notices)) == ([], [], {})


@pytest.mark.parametrize(
    ("verdict", "check", "is_quiet"),
    [
        (Verdict.HEALTHY, "psi", True),
        (Verdict.UNKNOWN, "psi", True),
        (Verdict.WARNING, "psi", False),
        (Verdict.CRITICAL, "psi", False),
        (Verdict.HEALTHY, BLIND, True),
        (Verdict.UNKNOWN, BLIND, False),
    ],
    ids=str,
)
def test_only_what_is_bad_or_blind_is_not_quiet(verdict, check, is_quiet):
    assert quiet([a_finding(verdict=verdict, check=check)]) is is_quiet
