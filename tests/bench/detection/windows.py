"""The windows on disk: of each set one reference, one log of windows, and a manifest that says what was done to which.

A plain folder of Parquet and JSON, so that peers in environments of their own can read it. Every window is one day of the log (one
week in the real year), so that all tools can be asked by time.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from tests.bench.detection.sets import REFERENCE_WINDOWS, TRAINED, DataSet, year
from tests.bench.detection.shifts import A_A, SCENARIOS, Draw

START = datetime(2020, 1, 1, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(days=7)
QUIET = 60
"""Windows without any change, a set."""
REPEATS = 2
"""Runs of each shift at each size: once on the feature that the model leans on most, once on another one."""
YEAR = "flights, the real year"
TOGETHER = 16
"""So many windows share a row group: with one each, reading the file's footer would be the dearest part."""


@dataclass(frozen=True)
class Run:
    """Windows in a row with one trouble: `sizes` says how much of it each has, 0 is none."""

    scenario: str
    size: float
    repeat: int
    sizes: tuple[float, ...]


def runs(data: DataSet) -> Iterator[Run]:
    """Yield every run of a set: the quiet one, then each shift that the set can have."""
    yield Run(A_A, 0.0, 0, (0.0,) * QUIET)
    for name, scenario in SCENARIOS.items():
        if not (data.categories if name == "new category" else data.numeric or name in ("label shift", "concept")):
            continue
        for size in scenario.sizes:
            for repeat in range(REPEATS):
                yield Run(name, size, repeat, tuple(size * part for part in scenario.course))


def harmed(data: DataSet, repeat: int) -> tuple[str, str]:
    """Return the numeric and the text column of a repeat; only numbers that vary can be moved."""
    varied = [name for name in data.numeric if data.population[name].round(9).value_counts(normalize=True).iloc[0] < 0.8]
    return tuple(_chosen(data, names, repeat) if names else "" for names in (varied, list(data.categories)))


def _chosen(data: DataSet, names: list[str], repeat: int) -> str:
    ranked = sorted(names, key=lambda name: -data.importance[name])
    return ranked[0] if repeat == 0 else ranked[len(ranked) // 2]


def written(data: DataSet, folder: Path, seed: int = 0) -> None:
    """Write one set; another seed draws other windows, which no default has been chosen by."""
    random = np.random.default_rng([*map(ord, data.name), *([seed] if seed else [])])
    length = DAY * REFERENCE_WINDOWS
    reference = data.scored(data.drawn(random, data.window_rows * REFERENCE_WINDOWS))
    told, parts = [], []
    for run in runs(data):
        column, text = harmed(data, run.repeat)
        for step, size in enumerate(run.sizes):
            draw, shift = Draw(data, random, column, text), SCENARIOS.get(run.scenario)
            frame = shift.shift(draw, size) if shift and size else draw.rows()
            start = START + length + DAY * len(told)
            told.append({**asdict(run), "step": step, "now": size, "start": start.isoformat(), "end": (start + DAY).isoformat()})
            parts.append(timed(frame, start, DAY))
    windows = data.scored(pd.concat(parts, ignore_index=True))
    _write(folder / data.name, data, (timed(reference, START, length), windows), told, (START, START + length))


def timed(frame: pd.DataFrame, start: datetime, length: timedelta) -> pd.DataFrame:
    """Return the rows spread evenly over a stretch of time."""
    at = pd.Timestamp(start) + np.arange(len(frame)) * (pd.Timedelta(length) / len(frame))
    return frame.assign(time=pd.DatetimeIndex(at).as_unit("us"))


def written_year(flights: DataSet, folder: Path) -> None:
    """Write the real year: January to April as reference, every week of them and every later week as a window."""
    log, (first, last) = year(flights), (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in TRAINED)
    starts = [moment for week in range(52) if (moment := first + timedelta(days=6) + WEEK * week) + WEEK <= log["time"].max()]
    told = [
        {"scenario": "within the reference" if start < last else "after it", "size": 0.0, "repeat": 0, "step": step, "now": 0.0,
         "start": start.isoformat(), "end": (start + WEEK).isoformat(), "sizes": []}
        for step, start in enumerate(starts)
    ]  # fmt: skip
    reference = log[(log["time"] >= first) & (log["time"] < last)]
    windows = log[(log["time"] >= starts[0]) & (log["time"] < starts[-1] + WEEK)]
    _write(folder / YEAR, flights, (reference, windows), told, (first, last))


def _write(place, data, sides, told, span) -> None:
    reference, windows = sides
    place.mkdir(parents=True, exist_ok=True)
    reference.to_parquet(place / "reference.parquet", index=False)
    windows.to_parquet(place / "windows.parquet", index=False, row_group_size=TOGETHER * len(windows) // len(told))
    manifest = {
        "name": place.name,
        "numeric": data.numeric,
        "categories": list(data.categories),
        "importance": data.importance,
        "reference": [moment.isoformat() for moment in span],
        "period": "W" if place.name == YEAR else "D",
        "windows": told,
    }
    (place / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
