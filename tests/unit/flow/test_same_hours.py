"""A season: a Sunday night is judged by Sunday nights, on logs with a strong weekly cycle and on logs with none."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from bot import checks
from bot.core.checks import Check
from bot.core.errors import SourceUnavailable
from bot.core.findings import Verdict
from bot.core.lines import FalseAlarms
from bot.core.models import Feature, Watch
from bot.core.registry import discover
from bot.core.seasons import HOUR, Season
from bot.core.windows import Window
from bot.flow.calibrate import calibrate, fingerprint, slots_of
from bot.flow.memory import Memory
from bot.flow.verify import fresh_findings
from bot.flow.watch import look, measured, reference
from bot.sources.readings import reading_of
from bot.sources.table import within
from tests.fakes.nouns import a_finding, a_plan, a_run, an_incident
from tests.unit.flow.room import DELAYS

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
WEEKS = 5
CHECKS = ("volume", "missing", "new_categories", "vanished_categories", "errors", "psi", "ks", "wasserstein", "chi_square")
SUNDAY = Watch("six hours", "0 */6 * * *", 6 * HOUR, CHECKS, season=Season("week"))
MODEL = replace(
    DELAYS,
    reference=Window(MONDAY, MONDAY + WEEKS * WEEK),
    watches=(SUNDAY,),
    features=(Feature("x", "numeric", 0.5), Feature("kind", "categorical")),
)
NIGHT = MONDAY + (WEEKS + 1) * WEEK
"""Midnight after a Sunday that comes after the reference."""


@dataclass
class MadeLog:
    """A log that lies in memory, and remembers which windows were asked for."""

    table: pa.Table
    name: str = "made"
    down: str = ""
    asked: list[Window] = field(default_factory=list)

    def reading(self, model, window, like=None, *, as_of=None, whole_rows=True):
        if self.down:
            raise SourceUnavailable(self.down)
        self.asked.append(window)
        return reading_of(model, window, within(self.table, window, "time"), like, as_of)


def made(*, weekly=True, sunday=50, seed=0, odd=None):
    """Return a log of seven weeks and more: on Sundays few predictions, of other people; `odd` changes the columns of late rows."""
    rng = np.random.default_rng(seed)
    hours = np.arange((WEEKS + 2) * 168)
    quiet = weekly & (hours // 24 % 7 == 6)
    rows = np.repeat(hours, rng.poisson(np.where(quiet, sunday, 150)))
    late, rest = rows >= WEEKS * 168, weekly & (rows // 24 % 7 == 6)
    x = rng.normal(size=len(rows)) + 2 * rest
    kind = np.where(rest, "person", np.where(rng.random(len(rows)) < 0.5, "person", "machine"))
    if odd is not None:
        keep, x, kind = odd(late, rest, x, kind)
        rows, x, kind = rows[keep], x[keep], kind[keep]
    start = np.datetime64(MONDAY.replace(tzinfo=None), "s")
    time = start + (rows * 3_600 + rng.integers(0, 3_600, len(rows))).astype("timedelta64[s]")
    order = np.argsort(time, kind="stable")
    columns = {"time": pa.array(time).cast(pa.timestamp("s", "UTC")), "score": rng.random(len(rows)), "x": x, "kind": kind.tolist()}
    return MadeLog(pa.table({**columns, "error": [""] * len(rows)}).take(pa.array(order)))


@pytest.fixture
def laid(room):
    """Lay a log and the real checks on the desk."""

    def lay(log):
        room.lays(sources={"log": log}, checks=discover(checks, Check))
        return room.desk

    return lay


def verdicts(desk, watch=SUNDAY, at=NIGHT, model=MODEL):
    like = reference(desk, model)
    return {f.key: f for f in measured(desk, model, watch, at, like)}


def bad(found):
    return {key for key, finding in found.items() if finding.bad}


PLAIN = replace(SUNDAY, season=None)


def test_without_a_season_a_usual_sunday_cries_wolf_and_with_it_there_is_silence(laid):
    desk = laid(made())
    loud, quiet = verdicts(desk, PLAIN), verdicts(desk)

    assert bad(loud) >= {("volume", "model"), ("psi", "x"), ("ks", "x"), ("wasserstein", "x"), ("vanished_categories", "kind")}
    assert {f.verdict for f in quiet.values()} == {Verdict.HEALTHY}


def test_it_is_said_which_hours_a_window_was_held_against(laid):
    assert verdicts(laid(made()))["source", "model"].reason == "held against Sun 18:00 to Mon 00:00 UTC, 5 times in the reference"


def half_a_deviation(late, _rest, x, kind):
    return np.ones(len(x), bool), x + 0.5 * late, kind


def nine_of_ten_gone(late, _rest, x, kind):
    return ~late | (np.arange(len(x)) % 10 == 0), x, kind


def machines_on_sundays(late, _rest, x, kind):
    return np.ones(len(x), bool), x, np.where(late & (np.arange(len(x)) % 2 == 0), "machine", kind)


@pytest.mark.parametrize(
    ("odd", "key"),
    [
        (half_a_deviation, ("ks", "x")),
        (half_a_deviation, ("wasserstein", "x")),
        (nine_of_ten_gone, ("volume", "model")),
        (machines_on_sundays, ("chi_square", "kind")),
    ],
    ids=["ks", "wasserstein", "volume", "chi-square"],
)
def test_a_true_change_of_a_sunday_is_still_found(laid, odd, key):
    assert key in bad(verdicts(laid(made(odd=odd))))


def test_a_sunday_that_is_like_a_weekday_is_found_only_with_the_season(laid):
    def like_a_weekday(late, rest, x, kind):
        return np.ones(len(x), bool), x - 2 * (late & rest), kind

    desk = laid(made(odd=like_a_weekday))

    assert [("ks", "x") in bad(verdicts(desk, watch)) for watch in (SUNDAY, PLAIN)] == [True, False]


def test_what_comes_only_on_weekdays_is_not_new_on_a_sunday(laid):
    assert ("new_categories", "kind") not in bad(verdicts(laid(made(odd=machines_on_sundays))))


@pytest.mark.parametrize("season", [Season("week"), Season("day"), Season("week", "America/New_York")], ids=str)
@pytest.mark.parametrize("shift", [0.0, 1.0], ids=["nothing wrong", "a shift"])
@pytest.mark.parametrize("seed", range(2))
def test_where_nothing_comes_round_a_season_changes_no_verdict(laid, season, shift, seed):
    desk = laid(made(weekly=False, seed=seed, odd=lambda late, _rest, x, kind: (np.ones(len(x), bool), x + shift * late, kind)))
    with_season, without = (verdicts(desk, watch, NIGHT - 31 * HOUR) for watch in (replace(SUNDAY, season=season), PLAIN))

    assert {key: f.verdict for key, f in with_season.items()} == {key: f.verdict for key, f in without.items()}


def test_with_too_few_reference_rows_what_compares_is_unknown_and_the_rest_is_judged(laid):
    found = verdicts(laid(made(sunday=5)))
    told = "not enough reference rows for Sun 18:00 to Mon 00:00 UTC: "
    asks_the_whole = found["new_categories", "kind"]

    assert {found[check, "x"].verdict for check in ("psi", "ks", "wasserstein", "missing")} == {Verdict.UNKNOWN}
    assert all(found[key].reason.startswith(told) for key in (("ks", "x"), ("chi_square", "kind"), ("missing", "x")))
    assert (found["volume", "model"].verdict, asks_the_whole.reason.startswith(told)) == (Verdict.HEALTHY, False)


def test_of_hours_that_never_came_nothing_is_usual(laid):
    found = verdicts(laid(made(sunday=0)), at=NIGHT)

    assert found["volume", "model"].verdict is Verdict.UNKNOWN
    assert "0 of 200; only 0.0 predictions are usual" in found["volume", "model"].reason


def test_a_window_longer_than_its_season_is_held_against_all_of_the_reference(laid):
    desk = laid(made())
    long, plain = (verdicts(desk, replace(SUNDAY, window=8 * DAY, season=season)) for season in (Season("week"), None))

    assert {key: (f.verdict, f.value) for key, f in long.items()} == {key: (f.verdict, f.value) for key, f in plain.items()}


def test_only_those_hours_are_read_and_only_once(laid, room):
    log = made()
    desk = laid(log)
    look(desk, MODEL, SUNDAY, NIGHT)
    first = list(log.asked)
    look(desk, MODEL, SUNDAY, NIGHT)
    look(replace(desk, memory=Memory()), MODEL, SUNDAY, NIGHT)

    assert [w for w in first if w.length == 6 * HOUR and w.end <= MODEL.reference.end] == [
        Window.ending(MONDAY + week * WEEK, 6 * HOUR) for week in range(1, WEEKS + 1)
    ]
    assert log.asked[len(first) :] == [Window.ending(NIGHT, 6 * HOUR)] * 2


def test_other_hours_another_season_and_another_zone_are_read_anew(laid):
    log = made()
    desk = laid(log)
    for watch, at in [
        (SUNDAY, NIGHT),
        (SUNDAY, NIGHT - 6 * HOUR),
        (replace(SUNDAY, season=Season("day")), NIGHT),
        (replace(SUNDAY, season=Season("week", "Asia/Tokyo")), NIGHT),
    ]:
        before = len(log.asked)
        look(desk, MODEL, watch, at)

        assert len(log.asked) - before >= WEEKS


def test_a_look_that_writes_nothing_keeps_no_hours(laid):
    log = made()
    desk = laid(log)
    verdicts(desk)
    before = len(log.asked)
    verdicts(replace(desk, memory=Memory()))

    assert len(log.asked) - before == 1 + WEEKS


def test_while_the_reference_cannot_be_read_what_compares_is_unknown_and_the_rest_is_judged(laid, room):
    log = made()
    desk = laid(log)
    model = replace(MODEL, reference_source="training")
    like = reference(replace(desk, sources={"training": log}), model)
    room.lays(sources={"log": log, "training": MadeLog(log.table, down="The training set is gone; mount it.")})
    found = {f.key: f for f in measured(room.desk, model, SUNDAY, NIGHT, like)}

    assert found["ks", "x"].reason.startswith("The training set is gone; mount it.; no numbers")
    assert (found["ks", "x"].verdict, found["errors", "model"].verdict) == (Verdict.UNKNOWN, Verdict.HEALTHY)


def test_slices_are_held_against_their_own_hours(laid):
    model = replace(MODEL, segments=("kind",))
    found, loud = (verdicts(laid(made()), watch, model=model) for watch in (SUNDAY, PLAIN))

    assert ("psi", "x · kind=person") in bad(loud)
    assert not bad(found)


def test_a_verification_on_a_sunday_holds_it_against_sundays(laid):
    desk = laid(made())
    verification = replace(a_plan().verification, checks=("ks",))
    run, incident = a_run(plan=a_plan(verification=verification)), an_incident(findings=(a_finding(check="ks", subject="x"),))
    desk.data.at = NIGHT
    told = []
    for watch in (SUNDAY, PLAIN):
        (found,), _ = fresh_findings(desk, replace(MODEL, watches=(watch,)), run, incident, NIGHT - 8 * HOUR)
        told.append(found.verdict)

    assert told == [Verdict.HEALTHY, Verdict.CRITICAL]


# measured lines with a season


@pytest.fixture
def few(monkeypatch):
    """Draw few windows, so that a test is quick."""
    monkeypatch.setattr("bot.flow.calibrate.MOST_PARTS", 50)


def test_lines_are_measured_within_the_season(laid, few):
    desk = laid(made())
    model = replace(MODEL, false_alarms=FalseAlarms())
    asked = replace(SUNDAY, checks=("ks", "wasserstein"), persistence=replace(SUNDAY.persistence, k=1, n=1))
    like = reference(desk, model)
    within_season, without = (calibrate(desk, model, watch, like) for watch in (asked, replace(asked, season=None)))
    lines, loud = ({(line.check, line.subject): line.value for line in found.lines} for found in (within_season, without))

    assert within_season.draws > 40
    assert lines["ks", "x"] < 0.25
    assert loud["ks", "x"] > 0.5


def test_windows_shorter_than_an_hour_are_drawn_as_short_as_they_are(laid, few):
    log = made(weekly=False)
    desk = laid(log)
    model = replace(MODEL, false_alarms=FalseAlarms())
    quarter = replace(SUNDAY, window=HOUR / 4, checks=("ks",))

    assert calibrate(desk, model, quarter, reference(desk, model)).draws == 10 * WEEKS
    assert sum(window.length == HOUR / 4 for window in log.asked) == 10 * WEEKS


def test_a_reference_too_short_for_its_season_teaches_nothing(laid):
    desk = laid(made())
    model = replace(MODEL, false_alarms=FalseAlarms(), reference=Window(MONDAY, MONDAY + 6 * DAY))

    assert "6 days is too short" in calibrate(desk, model, SUNDAY, reference(desk, model)).trouble


def test_a_window_as_long_as_its_season_teaches_nothing_within_it():
    assert slots_of(Season("day"), 2 * DAY, MODEL.reference) == []


def test_another_season_needs_other_lines(laid):
    like = reference(laid(made()), MODEL)
    seasons = (None, Season("day"), Season("week"), Season("week", "Asia/Tokyo"))

    assert len({fingerprint(MODEL, replace(SUNDAY, season=season), like) for season in seasons}) == 4
