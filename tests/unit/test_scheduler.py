"""The clock: which slots are due, and that each is asked for once."""

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bot.core.errors import ConfigError
from bot.scheduler import Beat, Cadence, Scheduler, slots

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


@dataclass
class HandClock:
    """A clock that is set by hand."""

    at: datetime = NOON

    def now(self) -> datetime:
        return self.at


@dataclass
class Asked:
    """What was enqueued, by number; may be down."""

    by_number: dict = field(default_factory=dict)
    calls: int = 0
    down: bool = False

    def __call__(self, workflow, number, payload, lane):
        if self.down:
            raise ConnectionError("the database is away")
        self.calls += 1
        self.by_number.setdefault(number, (workflow, dict(payload), lane))

    @property
    def hours(self):
        return [datetime.fromisoformat(payload["slot"]).hour for _, payload, _ in self.by_number.values()]


@pytest.fixture
def room():
    clock, asked = HandClock(), Asked()
    scheduler = Scheduler(asked, data=clock, wall=clock, tick_s=0.02)
    yield clock, asked, scheduler
    scheduler.stop()


def ticks(scheduler):
    """Run every job once, as its thread would."""
    for job in scheduler._clock.get_jobs():
        job.func()


def test_a_slot_is_in_utc_and_the_end_belongs_to_it():
    found = list(slots("0 */6 * * *", NOON - timedelta(hours=12), NOON))

    assert found == [NOON - timedelta(hours=6), NOON]


def test_a_cadence_with_a_zone_keeps_its_local_hour_over_a_change_of_clocks():
    start, end = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)

    assert [slot.hour for slot in slots("0 6 * * * Europe/Berlin", start, end)] == [5, 4]


def test_a_local_time_that_is_skipped_is_made_up_for_and_one_that_comes_twice_counts_once():
    spring = slots("30 2 * * * Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    autumn = slots("30 2 * * * Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))

    assert (len(list(spring)), len(list(autumn))) == (1, 1)


def test_seconds_lie_on_one_grid_for_every_replica():
    early = list(slots(7.0, NOON, NOON + timedelta(minutes=1)))
    late = list(slots(7.0, NOON + timedelta(seconds=3), NOON + timedelta(minutes=1)))

    assert set(late) <= set(early)
    assert all(later - earlier == timedelta(seconds=7) for earlier, later in pairwise(early))


@pytest.mark.parametrize("text", ["every day", "61 * * * *", "0 6 * * * Europe/Nowhere", "0 6 * * * ../../etc/passwd"])
def test_a_text_that_is_no_cadence_is_refused_before_anything_starts(room, text):
    _, _, scheduler = room

    with pytest.raises(ConfigError, match="is no cadence"):
        scheduler.watch([Cadence(text)])


def test_each_shard_of_a_slot_gets_a_number_made_of_the_slot(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *", shards=2)])
    ticks(scheduler)
    workflow, payload, lane = asked.by_number[f"hc:0 * * * *:{NOON.isoformat()}:1"]

    assert len(asked.by_number) == 2
    assert (workflow, lane) == ("check_shard", "0 * * * *#1")
    assert payload == {"cadence": "0 * * * *", "slot": clock.at.isoformat(), "shard": 1, "shards": 2}


def test_a_second_tick_in_the_same_slot_asks_for_nothing(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *")])
    ticks(scheduler)
    clock.at += timedelta(minutes=59)
    ticks(scheduler)

    assert asked.calls == 1


def test_of_missed_slots_only_the_newest_is_asked_for(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *")])
    ticks(scheduler)
    clock.at += timedelta(hours=3)
    ticks(scheduler)

    assert asked.hours == [12, 15]


def test_every_slot_is_asked_for_in_order_where_that_is_wanted(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *", every_slot=True, start=NOON)])
    ticks(scheduler)
    clock.at += timedelta(hours=3, minutes=5)
    ticks(scheduler)

    assert asked.hours == [12, 13, 14, 15]


def test_what_lies_before_the_start_or_the_lookback_is_never_asked_for(room):
    _, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *", every_slot=True, lookback=timedelta(hours=2))])
    scheduler.watch([Cadence("0 */1 * * *", every_slot=True, start=NOON - timedelta(minutes=30))])
    ticks(scheduler)

    assert asked.hours == [11, 12, 12]


def test_a_slot_that_could_not_be_enqueued_is_asked_for_again(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *", every_slot=True, start=NOON)])
    asked.down = True
    ticks(scheduler)
    clock.at += timedelta(hours=1)
    asked.down = False
    ticks(scheduler)

    assert asked.hours == [12, 13]


def test_a_clock_that_goes_back_makes_no_storm_and_no_silence(room):
    clock, asked, scheduler = room
    scheduler.watch([Cadence("0 * * * *")])
    ticks(scheduler)
    clock.at -= timedelta(hours=5)
    ticks(scheduler)
    clock.at += timedelta(hours=1)
    ticks(scheduler)

    assert asked.hours == [12, 7, 8]


def test_a_chore_that_was_missed_is_done_once_with_its_newest_slot(room):
    clock, _, scheduler = room
    done = []
    scheduler.beat([Beat("digest", "0 9 * * *", done.append, lookback=timedelta(days=7))])
    ticks(scheduler)
    clock.at += timedelta(days=3)
    ticks(scheduler)

    assert done == [NOON.replace(hour=9), NOON.replace(day=4, hour=9)]


def test_a_chore_that_fails_is_tried_again_and_harms_no_other(room):
    _, asked, scheduler = room
    tries = []

    def fails(slot):
        tries.append(slot)
        raise ConnectionError("the database is away")

    scheduler.beat([Beat("prune", 60.0, fails)])
    scheduler.watch([Cadence("0 * * * *")])
    ticks(scheduler)
    ticks(scheduler)

    assert tries == [NOON, NOON]
    assert asked.calls == 1


def test_a_started_clock_ticks_by_itself_and_a_stopped_one_does_not(room):
    clock, asked, scheduler = room
    ticked = threading.Event()
    scheduler.watch([Cadence("0 * * * *")])
    scheduler.beat([Beat("expire", 0.02, lambda _slot: ticked.set())])
    scheduler.start()
    began = ticked.wait(5)
    scheduler.stop()
    before = asked.calls
    clock.at += timedelta(hours=1)
    time.sleep(0.1)

    assert began
    assert asked.calls == before


def test_jobs_coalesce_never_expire_and_never_overlap(room):
    _, _, scheduler = room
    scheduler.watch([Cadence("0 * * * *")])
    scheduler.start()
    (job,) = scheduler._clock.get_jobs()

    assert (job.coalesce, job.misfire_grace_time, job.max_instances) == (True, None, 1)
