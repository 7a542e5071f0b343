"""A real year held against its first four months: seasons, storms and holidays are no broken data; broken data are found."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from bot import checks
from bot.core.checks import Check
from bot.core.findings import Finding, judge
from bot.core.models import Feature, LogColumns, Model
from bot.core.readings import Reading
from bot.core.registry import discover
from bot.core.windows import Window
from bot.demo.flights import CATEGORIES, FEATURES
from bot.sources.readings import reading_of

FOUND = discover(checks, Check)
QUALITY = ("duplicates", "far_out_of_range", "new_categories", "vanished_categories", "constant", "scale", "sentinel")
TRAINED = Window(datetime(2013, 1, 1, 9, tzinfo=UTC), datetime(2013, 5, 1, 9, tzinfo=UTC))
DAY, FORTNIGHT, HOURS = timedelta(days=1), timedelta(days=14), timedelta(hours=3)
JULY = Window.ending(datetime(2013, 7, 10, 21, tzinfo=UTC), DAY)
KINDS = tuple(Feature(name, "categorical" if name in CATEGORIES else "numeric") for name in FEATURES)
MODEL = Model("late-arrivals", "test", "t", "log", "none", TRAINED, (), KINDS, LogColumns())


class Log:
    """The year as its prediction log has it."""

    def __init__(self, year):
        flown = year.sort_values("departs", kind="stable")
        self.at = flown["departs"].astype("datetime64[s, UTC]").astype("int64").to_numpy()
        columns = {name: pa.array(flown[name], from_pandas=True) for name in FEATURES}
        columns |= {"request_id": pa.array(flown["flight_id"].astype(str)), "time": pa.array(flown["departs"])}
        self.table = pa.table(columns | {"score": np.arange(len(flown)) * 0.618 % 1})
        self.reference = self.reading(TRAINED, like=None)

    def rows(self, window: Window) -> pa.Table:
        start, end = np.searchsorted(self.at, [window.start.timestamp(), window.end.timestamp()])
        return self.table.slice(start, end - start)

    def reading(self, window: Window, like: Reading | None) -> Reading:
        return reading_of(MODEL, window, self.rows(window), like.columns if like else None, None)

    def found(self, reading: Reading) -> list[Finding]:
        return [
            finding
            for name in QUALITY
            for finding in judge(FOUND[name], FOUND[name].measure(self.reference, reading), model="m", window=reading.window)
            if finding.bad
        ]


@pytest.fixture(scope="session")
def log(year) -> Log:
    return Log(year)


@pytest.mark.parametrize(("length", "step"), [(HOURS, timedelta(hours=101)), (DAY, 9 * DAY), (FORTNIGHT, FORTNIGHT)])
def test_no_season_no_storm_and_no_night_is_taken_for_broken_data(log, length, step):
    ends = (TRAINED.end + length + i * step for i in range(245 * DAY // step))

    alarms = Counter(
        (f.check, f.subject) for end in ends for f in log.found(log.reading(Window.ending(end, length), log.reference))
    )

    assert not alarms


@pytest.mark.parametrize(
    ("column", "broken", "share", "check"),
    [
        ("distance", lambda x: x * 1_000, 0.3, "scale"),
        ("distance", lambda x: -x, 1.0, "scale"),
        ("humid", lambda x: x / 100, 1.0, "scale"),
        ("temp", lambda _: -999.0, 0.5, "sentinel"),
        ("temp", lambda _: -999.0, 0.1, "far_out_of_range"),
        ("distance", lambda _: 500.0, 1.0, "constant"),
        ("carrier", lambda _: "XX", 0.1, "new_categories"),
        ("origin", lambda x: "EWR" if x == "JFK" else x, 1.0, "vanished_categories"),
    ],
)
def test_what_is_broken_is_critical(log, column, broken, share, check):
    rows, hit = log.rows(JULY), np.random.default_rng(0)
    values = [broken(x) if x is not None and hit.random() < share else x for x in rows.column(column).to_pylist()]
    table = rows.set_column(rows.column_names.index(column), column, pa.array(values))

    findings = log.found(reading_of(MODEL, JULY, table, log.reference.columns, None))

    assert (check, column, "critical") in {(f.check, f.subject, f.verdict.value) for f in findings}
