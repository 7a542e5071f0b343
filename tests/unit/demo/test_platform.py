"""The real thing: model servers, a real Envoy, real flights. Starts once for the whole file."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from bot.connectors import envoy, modelserver
from bot.demo import models
from bot.demo.clock import DataClock
from bot.demo.flights import FEATURES
from bot.demo.leash import DemoFailed, Leashed
from bot.demo.log import COLUMNS, PredictionLog
from bot.demo.platform import ModelPlatform
from bot.demo.replay import Replayer

START = datetime(2013, 7, 10, 9, tzinfo=UTC)


@pytest.fixture(scope="module")
def platform(models_folder, tmp_path_factory):
    with ModelPlatform(tmp_path_factory.mktemp("platform"), "delays", models_folder, ["v2", "v3"], live="v3") as running:
        yield running


@pytest.fixture
def replayer(year, platform, tmp_path):
    with PredictionLog(tmp_path / "log.db") as log:
        clock = DataClock.starting(tmp_path / "clock", START)
        replaying = Replayer(year, log, clock, start=START, front=platform.front)
        yield replaying
        replaying.close()


@pytest.fixture
def splitter(platform):
    connector = envoy.make(platform.splitter_options)
    yield connector
    connector.set_split("delays", {"v3": 1.0}, "the end")
    connector.close()


def rows(replayer, sql):
    return replayer._log._database.execute(sql).fetchall()


def processes(folder):
    """The ids of all processes whose command line names this folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in entry.read_bytes():
                found.add(int(entry.parent.name))
        except OSError:
            continue
    return found


def gone(folder, within_s):
    end = time.monotonic() + within_s
    while processes(folder) and time.monotonic() < end:
        time.sleep(0.05)
    return not processes(folder)


def test_every_answer_names_the_version_that_gave_it(platform):
    answer = httpx.get(f"{platform.front}/healthz")

    assert (answer.json()["version"], answer.headers["x-model-version"]) == ("v3", "v3")


def test_a_stretch_is_replayed_through_envoy_and_logged_row_by_row(replayer, year):
    replayer.live(START + timedelta(hours=6))
    logged = rows(replayer, "SELECT count(*), count(score), count(latency_ms), min(version), max(version) FROM predictions")
    departed = year[(year["departs"] >= START) & (year["departs"] < START + timedelta(hours=6))]

    assert logged == [(len(departed), len(departed), len(departed), "v3", "v3")]
    assert replayer.counters.errors == 0


def test_the_logged_scores_are_the_models_own(replayer, models_folder, year):
    replayer.live(START + timedelta(hours=2))
    flight, score = rows(replayer, "SELECT request_id, score FROM predictions ORDER BY request_id LIMIT 1")[0]
    own = models.load(models_folder, "v3").scores(year[year["flight_id"] == flight])

    assert score == pytest.approx(own[0], abs=1e-6)


def test_a_label_is_in_the_log_only_after_it_arrived(replayer):
    replayer.live(START + timedelta(hours=8))

    assert rows(replayer, "SELECT count(*) > 100, max(label_time) < '2013-07-10 17:00:00' FROM labels") == [(1, 1)]
    assert rows(replayer, "SELECT count(*) FROM log WHERE label IS NOT NULL AND label_time < time") == [(0,)]


def test_the_clock_shows_the_time_that_the_data_have_reached(replayer, tmp_path):
    replayer.live(START + timedelta(hours=3))

    assert DataClock(tmp_path / "clock").now() == START + timedelta(hours=3)


def test_the_log_shows_the_split_that_the_bot_sets(replayer, splitter):
    splitter.set_split("delays", {"v2": 0.5, "v3": 0.5}, "run:1")
    replayer.pace.slot = timedelta(minutes=5)
    replayer.live(START + timedelta(hours=12))
    served = replayer.counters.served

    assert set(served) == {"v2", "v3"}
    assert served["v2"] / sum(served.values()) == pytest.approx(0.5, abs=0.16)


def test_a_shorter_slot_asks_more_often_for_the_same_flights(replayer):
    replayer.live(START + timedelta(hours=6))
    hourly, flights = replayer.counters.requests, replayer.counters.flights
    replayer.pace.slot = timedelta(minutes=10)
    replayer.live(START + timedelta(hours=12))

    assert replayer.counters.requests - hourly > 3 * hourly
    assert rows(replayer, "SELECT count(*) FROM predictions")[0][0] == replayer.counters.flights > flights


def test_the_pace_is_kept(replayer):
    replayer.pace.speed = 3 * 3600.0
    started = time.monotonic()
    replayer.live(START + timedelta(hours=3))

    assert time.monotonic() - started >= 0.9


def test_a_replay_that_is_stopped_returns_soon(replayer):
    replayer.pace.speed = 1.0
    replayer.stop()
    replayer.live(START + timedelta(hours=3))

    assert replayer.position == START


def test_a_backfilled_stretch_is_logged_under_the_version_that_served_then_without_latency(replayer, models_folder):
    replayer.backfill(START + timedelta(days=2), "v3", models.load(models_folder, "v3"))
    told = "SELECT count(*) > 1500, count(latency_ms), count(error), min(version), max(version) FROM predictions"

    assert rows(replayer, told) == [(1, 0, 0, "v3", "v3")]
    assert rows(replayer, "SELECT count(*) > 1000 FROM labels") == [(1,)]
    assert replayer.position == START + timedelta(days=2)


def test_live_and_backfilled_rows_have_the_same_shape(replayer, models_folder):
    replayer.live(START + timedelta(hours=5))
    replayer.backfill(START + timedelta(hours=10), "v3", models.load(models_folder, "v3"))
    told = "SELECT DISTINCT typeof(time), typeof(score), typeof(carrier), typeof(distance), length(time) FROM predictions"

    assert rows(replayer, told) == [("text", "real", "text", "real", 26)]


def test_a_request_that_nobody_served_is_a_row_with_its_error(replayer, platform):
    keys = {"traffic.delays_v2": "0", "traffic.delays_v3": "0"}
    httpx.post(f"{platform.envoy.admin}/runtime_modify", params=keys)
    replayer.live(START + timedelta(hours=2))
    httpx.post(f"{platform.envoy.admin}/runtime_modify", params={"traffic.delays_v3": "100"})

    assert rows(replayer, "SELECT DISTINCT error, version, score FROM predictions") == [("HTTP 404", None, None)]
    assert replayer.counters.errors == replayer.counters.requests > 0


def test_the_bots_scorer_gets_the_same_scores_as_the_log(replayer, platform, year):
    replayer.live(START + timedelta(hours=2))
    logged = rows(replayer, "SELECT * FROM predictions LIMIT 20")
    columns = {name: [row[COLUMNS.index(name)] for row in logged] for name in FEATURES}
    scorer = modelserver.make(platform.scorer_options)
    question = FakeSample(columns, len(logged))

    assert scorer.versions("delays") == ("v2", "v3")
    assert scorer.score("delays", "v3", question).tolist() == pytest.approx(
        [row[COLUMNS.index("score")] for row in logged], abs=1e-6
    )


class FakeSample:
    """As much of a sample as a scorer looks at."""

    def __init__(self, features, n):
        self.features, self._n = features, n

    def __len__(self):
        return self._n


# processes


def test_a_part_that_stopped_is_named_with_its_log(models_folder, tmp_path):
    with ModelPlatform(tmp_path, "delays", models_folder, ["v3"], live="v3") as running:
        running.check()
        running.kill("v3")

        with pytest.raises(DemoFailed, match=r"The demo's v3 has stopped; see its log .*v3\.log"):
            running.check()
    assert gone(tmp_path, 5)


def test_a_version_that_cannot_start_is_told_with_the_end_of_its_log(models_folder, tmp_path):
    with pytest.raises(DemoFailed, match=r"ended while starting; its log .*v9\.log ends: .*There is no version 'v9'"):
        ModelPlatform(tmp_path, "delays", models_folder, ["v9"], live="v9")
    assert gone(tmp_path, 5)


PARENT = """
import sys, time
from pathlib import Path
from bot.demo.platform import ModelPlatform
running = ModelPlatform(Path(sys.argv[1]), "delays", Path(sys.argv[2]), ["v3"], live="v3")
print("up", flush=True)
time.sleep(600)
"""


def test_nothing_outlives_a_parent_that_is_killed(models_folder, tmp_path):
    folder = tmp_path / "platform"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(folder), str(models_folder)], stdout=subprocess.PIPE)
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
    assert len(processes(folder) - {parent.pid}) == 3  # the server, Envoy, and who holds Envoy
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    assert gone(folder, 8)


def test_envoy_does_not_outlive_its_holder(platform, models_folder, tmp_path):
    with ModelPlatform(tmp_path, "delays", models_folder, ["v3"], live="v3") as running:
        os.kill(running.envoy.process.pid, signal.SIGKILL)
        running.envoy.process._process.wait()
        config = tmp_path / "envoy.json"

        assert gone(config, 5)


def test_a_program_that_never_says_it_is_ready_is_told(tmp_path):
    silent = Leashed(["/bin/sleep", "60"], tmp_path / "log", foreign=True)
    try:
        with pytest.raises(DemoFailed, match=r"^sleep was not ready within 0\.2 s; its log .* ends: empty$"):
            silent.wait_for(lambda: None, 0.2)
    finally:
        silent.stop()
    assert not silent.alive


def test_a_program_that_ignores_its_leash_is_killed(tmp_path):
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"]
    stubborn = Leashed(deaf, tmp_path / "log", foreign=True)
    time.sleep(0.3)
    started = time.monotonic()
    stubborn.stop()

    assert not stubborn.alive
    assert time.monotonic() - started < 8
