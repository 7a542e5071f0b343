"""A log read ahead gives the very readings that the log itself would, and reads it seldom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bot.core.models import Feature, Model, Watch
from bot.core.windows import Window
from bot.sources.files import FileSource
from bot.sources.held import HeldSource

START = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
MODEL = Model(
    "m",
    "production",
    "ops",
    "log",
    "",
    Window(START, START + DAY),
    (Watch("w", "0 0 * * *", DAY, ("ks",)),),
    (Feature("x", "numeric"),),
)


class Counted(FileSource):
    """A file source that counts how often it is read."""

    times = 0

    def rows(self, model, window):
        self.times += 1
        return super().rows(model, window)


@pytest.fixture
def log(tmp_path):
    """Sixty days of rows, out of order."""
    rng = np.random.default_rng(0)
    time = pd.date_range(START, START + 60 * DAY, periods=6_000).to_series().sample(frac=1.0, random_state=0)
    pd.DataFrame({"time": time.to_numpy(), "score": rng.random(6_000), "x": rng.normal(size=6_000)}).to_parquet(
        tmp_path / "log.parquet"
    )
    return Counted(tmp_path / "log.parquet")


def test_a_held_window_reads_as_the_log_itself_reads_it(log):
    held = HeldSource(log, 3 * DAY)
    for hours in (100, 101.37, 400, 90):
        window = Window.ending(START + timedelta(hours=hours), 2 * DAY)
        ours, theirs = held.reading(MODEL, window), log.reading(MODEL, window)

        assert (ours.rows, ours.newest, ours.kinds) == (theirs.rows, theirs.newest, theirs.kinds)
        assert np.array_equal(ours.columns["x"].cuts, theirs.columns["x"].cuts)


def test_hours_of_the_reference_are_read_without_letting_go_of_the_stretch(log):
    held = HeldSource(log, 3 * DAY)
    model = replace(MODEL, reference=Window(START, START + 20 * DAY))
    now = [Window.ending(START + timedelta(days=40, hours=hours), DAY) for hours in range(3)]
    for window in now:
        held.reading(model, window)
        usual = held.reading(model, Window.ending(START + 10 * DAY, timedelta(hours=6)))

        assert usual.rows == log.reading(model, usual.window).rows

    assert log.times == 1 + len(now)


def test_many_overlapping_windows_are_few_reads(log):
    held = HeldSource(log, 3 * DAY)
    for hour in range(24 * 4, 24 * 50, 6):
        held.reading(MODEL, Window.ending(START + timedelta(hours=hour), 3 * DAY))

    assert log.times <= 8


def test_a_window_longer_than_was_said_is_read_from_the_log(log):
    held = HeldSource(log, DAY)

    assert held.reading(MODEL, Window(START, START + 30 * DAY)).rows == 3_000


def test_samples_are_cut_from_the_same_rows(log):
    assert len(HeldSource(log, DAY).sample(MODEL, Window(START, START + DAY), 10)) == 0  # the log has no labels
