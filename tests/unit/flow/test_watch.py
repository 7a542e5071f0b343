"""Which models are looked at, and that one that cannot be looked at stops nobody else."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.core.errors import StoreUnavailable
from bot.core.findings import Verdict
from bot.core.models import Feature, LogColumns, Watch
from bot.core.windows import Window
from bot.flow.watch import fingerprint, look, look_at_all, reference, shards_of, since_mended, watched
from tests.fakes.world import MORNING, FakeLog
from tests.unit.flow.room import DAY, DELAYS

HOURLY = Watch("hourly", "0 * * * *", timedelta(hours=1), ("missing",))
DAILY_CADENCE = DELAYS.watches[0].cadence


def fleet(n):
    models = [replace(DELAYS, name=f"m{i}", source=f"log{i}", watches=(HOURLY, *DELAYS.watches)) for i in range(n)]
    return {m.key: m for m in models}


class BrokenLog(FakeLog):
    """A source with a bug in it."""

    def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
        raise RuntimeError("secret=hunter2")


def latest(room, model="delays@production"):
    with room.store.read() as unit:
        return {f.check: f for f in unit.latest(model)}


def test_only_watches_of_the_cadence_are_looked_at(room):
    room.lays(models=fleet(2))

    assert [(m.name, w.name) for m, w in watched(room.desk, "0 * * * *")] == [("m0", "hourly"), ("m1", "hourly")]


@pytest.mark.parametrize("asks", [True, False])
def test_a_log_is_asked_for_whole_rows_just_where_a_check_looks_at_them(room, asks):
    asked = []

    class Listening(FakeLog):
        def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
            asked.append(whole_rows)
            return super().reading(model, window, like, as_of=as_of)

    checks = {name: replace(check, whole_rows=(DELAYS.task,) if asks else ()) for name, check in room.desk.checks.items()}
    room.lays(models=fleet(1), sources={"log0": Listening()}, checks=checks)
    look_at_all(room.desk, DAILY_CADENCE, MORNING)

    assert asked == [True, asks]  # the reference, which many watches share, and the window


def test_every_model_is_in_exactly_one_shard_and_stays_there(room):
    room.lays(models=fleet(40))
    shards = [{m.key for m, _ in watched(room.desk, DAILY_CADENCE, shard, 4)} for shard in range(4)]
    room.lays(models=fleet(20))
    fewer = [{m.key for m, _ in watched(room.desk, DAILY_CADENCE, shard, 4)} for shard in range(4)]

    assert sorted(key for shard in shards for key in shard) == sorted(fleet(40))
    assert all(few <= many for few, many in zip(fewer, shards, strict=True))
    assert all(shards)


def test_a_source_that_stumbles_is_a_finding_about_the_bot_and_the_others_are_still_watched(room):
    room.lays(models=fleet(3), sources={"log0": FakeLog(), "log1": BrokenLog(), "log2": FakeLog()})
    looked = look_at_all(room.desk, DAILY_CADENCE, MORNING)
    stumbled = latest(room, "m1@production")["source"]

    assert looked == 3
    assert stumbled.verdict is Verdict.UNKNOWN
    assert stumbled.reason == "the bot itself stumbled (RuntimeError); its log says where."
    assert all(latest(room, f"m{i}@production")["source"].verdict is Verdict.HEALTHY for i in (0, 2))


def test_a_bot_that_goes_on_stumbling_is_an_incident(room):
    room.lays(sources={"log": BrokenLog()})
    for day in (1, 2):
        look(room.desk, DELAYS, DELAYS.watches[0], MORNING + timedelta(days=day))

    assert room.incident().title == "delays: its prediction log cannot be read"
    assert "hunter2" not in str(room.shown("incident:1"))


@pytest.mark.parametrize(
    ("models", "shards"), [(0, 1), (1, 1), (100, 1), (101, 2), (200, 2), (201, 4), (10_000, 128), (99_999, 256)]
)
def test_many_models_are_looked_at_in_parts(room, models, shards):
    room.lays(models=dict(enumerate([replace(DELAYS, watches=(HOURLY,))] * models)))

    assert (shards_of(room.desk, HOURLY.cadence), shards_of(room.desk, DAILY_CADENCE)) == (shards, 1)


@pytest.mark.parametrize("first", list(product((2, 8), repeat=2)), ids=str)
def test_replicas_that_count_the_parts_differently_look_at_every_model_whoever_starts_each_part(room, first):
    room.lays(models=fleet(60))
    parts = [*enumerate(first), *((part, 8) for part in range(2, 8))]
    looked = {model.key for part, parts in parts for model, _ in watched(room.desk, HOURLY.cadence, part, parts)}

    assert looked == set(room.desk.models)


def test_a_log_that_is_down_is_unknown_in_its_own_words(room):
    room.log.down = "The log is gone; mount it."
    room.looks()

    assert (latest(room)["source"].verdict, latest(room)["source"].reason) == (Verdict.UNKNOWN, "The log is gone; mount it.")


@pytest.mark.parametrize("reads", [0, 1], ids=["at once", "amid the look"])
def test_a_database_that_is_away_says_nothing_about_the_log(room, reads):
    room.store.away = reads
    with pytest.raises(StoreUnavailable):
        room.looks()

    assert latest(room) == {}


def test_while_a_run_is_at_work_windows_are_kept_but_open_and_close_nothing(room):
    room.losing()
    room.approved()
    room.log.gap, room.log.missing = 0.0, 1.0
    room.looks(4)

    assert latest(room)["missing"].verdict is Verdict.CRITICAL
    assert [i.state.value for i in room.incidents()] == ["mitigating"]


def test_a_run_that_ends_in_the_middle_of_a_look_leaves_no_room_for_what_was_measured_across_it(room):
    room.losing()
    number = room.approved().id
    log, ended = room.log.reading, []

    def slowly(*asked, **how):
        told = log(*asked, **how)
        if room.log.gap:
            room.log.gap = 0.0  # fresh rows are well, and verification sees them before this look has come to its end
            ended.append(room.runs(number)["state"])
        return told

    room.log.gap = 0.3
    room.log.reading = slowly
    look(room.desk, room.model, room.model.watches[0], room.data.now())

    assert ended == ["succeeded"]
    assert [incident.open for incident in room.incidents()] == [False]


def test_the_reference_is_read_once_and_then_remembered(room):
    for _ in range(3):
        reference(room.desk, DELAYS)

    assert room.log.windows == [DELAYS.reference]


@pytest.mark.parametrize(
    "changes",
    [
        {"reference": Window(MORNING - timedelta(days=9), MORNING)},
        {"features": (Feature("temp", "categorical"),)},
        {"source": "other"},
        {"reference_source": "training"},
    ],
    ids=str,
)
def test_another_stretch_other_columns_or_another_place_need_another_reference(changes):
    assert fingerprint(replace(DELAYS, **changes)) != fingerprint(DELAYS)


def test_importance_and_lines_do_not_need_another_reference():
    tuned = replace(DELAYS, features=tuple(replace(f, importance=0.9) for f in DELAYS.features), tier="critical")

    assert fingerprint(tuned) == fingerprint(DELAYS)


def test_a_reference_may_lie_elsewhere_than_the_log(room):
    training = FakeLog("training")
    room.lays(sources={"log": room.log, "training": training})
    reference(room.desk, replace(DELAYS, reference_source="training"))

    assert (training.windows, room.log.windows) == ([DELAYS.reference], [])


def test_a_window_after_a_mending_holds_no_row_from_before_it(room):
    room.losing()
    proposal = room.approved()
    room.log.gap = 0.02
    room.runs(proposal.id)
    with room.store.read() as unit:
        mended = unit.run(proposal.id).fresh_since
    room.looks(1)

    assert room.log.windows[-1].start == mended
    assert room.log.windows[-1].end == room.data.now()


def test_a_window_from_before_the_mending_is_left_whole(room):
    room.losing()
    before = room.data.now()
    proposal = room.approved()
    room.log.gap = 0.02
    room.runs(proposal.id)

    assert since_mended(room.desk, room.model, Window(before - DAY, before)) == Window(before - DAY, before)


def test_another_task_needs_another_reference():
    told = {fingerprint(replace(DELAYS, task=task)) for task in ("binary", "multiclass", "regression", "ranking")}
    told |= {fingerprint(replace(DELAYS, task="ranking", columns=LogColumns(group=name))) for name in ("query", "session")}

    assert len(told) == 6
    assert fingerprint(replace(DELAYS, columns=LogColumns(prediction="late"))) not in told
