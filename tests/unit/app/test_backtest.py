"""History played again: the same code, a database that is thrown away, and the time of the data."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from bot.app import registries
from bot.app.backtest import StandingClock, rehearsal, replay, schedule, stretch
from bot.cli import main
from bot.config import load_settings
from bot.core.errors import ConfigError, SourceUnavailable
from bot.core.windows import Window

START = datetime(2026, 1, 1, tzinfo=UTC)
GONE = "2026-02-05T00:00:00Z"
CONFIG = """
database: sqlite:///never-made.db
teams: {{ops: {{}}}}
sources: {{log: {log}}}
models:
  - name: churn
    team: ops
    source: log
    reference: {{start: 2026-01-01T00:00:00Z, end: 2026-01-21T00:00:00Z}}
    features: {{age: {{importance: 0.5}}}}
    watches:
      - {{name: daily, every: "0 6 * * *", window: 24h, checks: [missing, ks, volume], persist: {{k: 2, n: 2}}}}
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A log whose column `age` is empty from 5 to 9 February."""
    monkeypatch.chdir(tmp_path)
    rows = 5_000
    time = pd.date_range("2026-01-01", "2026-02-20", periods=rows, tz="UTC")
    age = np.random.default_rng(1).normal(size=rows)
    age[(time >= GONE) & (time < "2026-02-09T00:00:00Z")] = np.nan
    pd.DataFrame({"time": time, "score": 0.5, "age": age}).to_parquet("log.parquet")
    (tmp_path / "aiops.yaml").write_text(CONFIG.format(log="{kind: files, path: log.parquet}"))
    return tmp_path


@pytest.fixture
def said(capsys):
    """Run a command; return its exit code, stdout and stderr."""

    def run(*words):
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_an_incident_opens_and_closes_in_the_time_of_the_data(home):
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, clock):
        played = replay(desk, clock, desk.model("churn"))

    (incident,) = played.incidents
    assert (incident.opened_at, incident.resolved_at) == (datetime(2026, 2, 7, 6, tzinfo=UTC), datetime(2026, 2, 11, 6, tzinfo=UTC))
    assert incident.title == "churn: broken data in age"
    assert played.looks == 29


def test_the_bots_own_database_is_not_even_made(home, said):
    said("backtest", "churn")

    assert sorted(path.name for path in home.iterdir()) == ["aiops.yaml", "log.parquet"]


def test_progress_is_told_after_each_look(home):
    told = []
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, clock):
        end = datetime(2026, 1, 24, tzinfo=UTC)
        replay(desk, clock, desk.model("churn"), end=end, told=lambda done, total, at: told.append((done, total, at.day)))

    assert told == [(1, 2, 22), (2, 2, 23)]


def test_a_known_event_is_found_and_nothing_is_false(home, said):
    code, out, _ = said("backtest", "churn", "--event", GONE, "--json")
    data = json.loads(out)

    assert code == 0
    assert (data["false_alarms"], data["events"][0]["delay"]) == (0, "2 d 6 h")
    assert data["incidents"][0]["why"].startswith("missing of age 100 %")


def test_a_false_alarm_and_a_missed_event_exit_1(home, said):
    code, out, _ = said("backtest", "churn", "--event", "2026-02-01T00:00:00Z/2026-02-02T00:00:00Z")

    assert code == 1
    assert "false alarm" in out
    assert "not found" in out


def test_without_events_the_exit_code_judges_nobody(home, said):
    code, out, _ = said("backtest", "churn")

    assert code == 0
    assert "Nobody has said which of them were true" in out


def test_a_picture_is_drawn(home, said):
    code, out, _ = said("backtest", "churn", "--png", "t.png", "--event", GONE)

    assert code == 0
    assert "The timeline is in t.png." in out
    assert (home / "t.png").read_bytes().startswith(b"\x89PNG")


def test_suggested_lines_can_be_pasted_and_say_what_they_would_have_found(home, said):
    _, out, _ = said("backtest", "churn", "--event", GONE, "--suggest", "--json")
    suggestion = json.loads(out)["suggestion"]

    assert suggestion["lines"].keys() == {"missing.age", "ks.age"}
    assert suggestion["yaml"].startswith("thresholds:\n  ks.age: {critical: ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--start", "2026-03-01T00:00:00Z"), "nothing to replay"),
        (("--start", "2026-01-25T07:00:00Z", "--end", "2026-01-25T08:00:00Z"), "no look"),
        (("--event", "2026-02-02T00:00:00Z/2026-02-01T00:00:00Z"), "ends before it starts"),
        (("--event", "yesterday"), "no time with a zone"),
    ],
    ids=["after the log", "between two slots", "backwards", "no time"],
)
def test_a_stretch_that_cannot_be_is_one_sentence(home, said, words, sentence):
    code, out, err = said("backtest", "churn", *words)

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert sentence in err


def test_a_look_whose_window_would_begin_before_the_stretch_is_left_out_unless_asked_for(home):
    model = load_settings(home / "aiops.yaml").models_with(registries().checks)["churn@production"]
    span = Window(START, START + timedelta(days=3))

    assert [slot.day for slot, _ in schedule(model, span, warm=True)] == [2, 3]
    assert [slot.day for slot, _ in schedule(model, span, warm=False)] == [1, 2, 3]


def test_the_stretch_begins_at_the_references_end_and_ends_with_the_log(home):
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, _):
        span = stretch(desk, desk.model("churn"), None, None)

    assert (span.start, span.end) == (datetime(2026, 1, 21, tzinfo=UTC), datetime(2026, 2, 20, 0, 0, 1, tzinfo=UTC))


def test_a_log_that_cannot_say_how_far_it_reaches_asks_for_times(home):
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, _):
        mute = replace(desk, sources={"log": object()})
        with pytest.raises(ConfigError, match="name --start and --end"):
            stretch(mute, desk.model("churn"), None, None)


def test_an_empty_log_is_said(home):
    pd.DataFrame({"time": pd.Series([], dtype="datetime64[us, UTC]"), "score": [], "age": []}).to_parquet("log.parquet")
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, _), pytest.raises(SourceUnavailable, match="nothing to replay"):
        stretch(desk, desk.model("churn"), None, None)


def test_a_database_says_how_far_it_reaches(home):
    with sqlite3.connect("log.db") as log:
        log.execute("create table log (time datetime, score real, age real)")
        log.executemany("insert into log values (?, 0.5, 1)", [(f"2026-02-0{d} 12:00:00.000000",) for d in (3, 1, 2)])
    (home / "aiops.yaml").write_text(CONFIG.format(log="{kind: sql, url: 'sqlite:///log.db', table: log}"))
    with rehearsal(load_settings(home / "aiops.yaml")) as (desk, _):
        first, last = desk.sources["log"].span(desk.model("churn"))

    assert (first, last) == (datetime(2026, 2, 1, 12, tzinfo=UTC), datetime(2026, 2, 3, 12, tzinfo=UTC))


def test_a_standing_clock_stands():
    assert StandingClock(START).now() is START
