"""A real Prometheus: what it answers, what the bot makes of it, and what people are told when it is wrong, empty or gone."""

import json
import socket
import sqlite3
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest
import yaml

from bot.cli import main
from bot.core.errors import SourceUnavailable
from bot.core.windows import Window
from bot.demo.ports import free_port
from bot.http import Allowed, Http
from bot.sources.prometheus import REST_S, Options, Prometheus, make
from tests.unit.flow.room import DELAYS

GIB = 1_024**3
NOW = datetime.now(UTC).replace(second=0, microsecond=0)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAST = Window(NOW - 3 * DAY, NOW - DAY)
TODAY = Window(NOW - 3 * HOUR, NOW - HOUR)


def history():
    """Return three days, a sample a minute: on the last one memory is 5 GiB instead of 2, and nobody asks for anything any more."""
    minutes = [int((NOW - 3 * DAY).timestamp()) + 60 * i for i in range(3 * 1_440)]
    lines = []
    for name, before, after in (("memory", 2 * GIB, 5 * GIB), ("cpu", 0.5, 0.5), ("asked", 40, 0), ("slow", 90, 400)):
        lines.append(f"# TYPE old_{name} gauge")
        lines += [f"old_{name} {before if i < 2 * 1_440 else after} {at}" for i, at in enumerate(minutes)]
    return "\n".join([*lines, "# EOF", ""])


class Exporter(BaseHTTPRequestHandler):
    """A model's metrics page: counters that go on by themselves."""

    started = time.monotonic()

    def do_GET(self):
        seconds = time.monotonic() - self.started
        body = (
            f"requests_total {50 * seconds}\nerrors_total {5 * seconds}\nidle_total 0\n"
            'memory_bytes{pod="a"} 3e9\nmemory_bytes{pod="b"} 1e9\n'
        ).encode()
        self.send_response(200)
        self.send_header("content-type", "text/plain; version=0.0.4")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def exporter():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def running(folder, target):
    """A Prometheus of our own that holds the history and scrapes the target five times a second; yields its URL."""
    (folder / "history").write_text(history())
    blocks = ["promtool", "tsdb", "create-blocks-from", "--max-block-duration=96h", "openmetrics", "history", "data"]
    subprocess.run(blocks, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    scrape = {"job_name": "model", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
    config = {"global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"}, "scrape_configs": [scrape]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data", f"--web.listen-address={address}"]
    process = subprocess.Popen([*command, "--log.level=error"], cwd=folder)
    try:
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def samples(url, query):
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, trust_env=False).json()
    return answer["data"]["result"] and float(answer["data"]["result"][0]["value"][1])


def waits_until(true):
    """Ask again and again, for ten seconds: a Prometheus looks at its targets for the first time after five."""
    for _ in range(200):
        with suppress(httpx.TransportError):
            if true():
                return
        time.sleep(0.05)
    pytest.fail("Prometheus did not start.")


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A Prometheus that knows its history, and scrapes."""
    with exporter() as target, running(tmp_path_factory.mktemp("prometheus"), target) as at:
        waits_until(lambda: httpx.get(f"{at}/-/ready", trust_env=False).status_code == 200)
        yield at


@pytest.fixture(scope="module")
def live(url):
    """The same, when it has scraped for two seconds."""
    waits_until(lambda: (samples(url, "count_over_time(requests_total[1m])") or 0) >= 10)


@pytest.fixture
def prometheus(url):
    made = make({"url": url})
    yield made
    made.close()


def last(seconds=2):
    return Window.ending(datetime.now(UTC), timedelta(seconds=seconds))


def test_a_window_of_history_is_read_at_even_points(prometheus):
    found = prometheus.series({"memory": "old_memory", "cpu": "avg(old_cpu)"}, PAST)

    assert {name: (len(s), s.asked, s.trouble) for name, s in found.items()} == {"memory": (300, 300, ""), "cpu": (300, 300, "")}
    assert set(found["memory"].values) == {2.0 * GIB}


def test_every_point_lies_in_its_window(prometheus):
    """What is sampled at the window's end itself is the next one's."""
    before, after = (prometheus.series({"m": "old_memory"}, w)["m"] for w in (PAST, Window(PAST.end, NOW - HOUR)))

    assert (set(before.values), set(after.values)) == ({2.0 * GIB}, {5.0 * GIB})


def test_a_scalar_is_a_series_too(prometheus):
    assert set(prometheus.series({"cpu": "vector(1) * 3"}, last())["cpu"].values) == {3.0}


def test_one_bad_query_leaves_the_others(prometheus):
    found = prometheus.series({"cpu": "sum(", "memory": "old_memory"}, TODAY)

    assert (bool(found["cpu"].trouble), found["memory"].unknown) == (True, "")


def test_a_window_before_its_memory_is_no_sample(prometheus):
    assert "no sample" in prometheus.series({"memory": "old_memory"}, Window(NOW - 90 * DAY, NOW - 60 * DAY))["memory"].trouble


def test_a_server_that_is_gone_is_asked_once():
    gone = make({"url": f"http://127.0.0.1:{free_port()}"})
    found = gone.series({"cpu": "a", "memory": "b"}, TODAY)

    assert found["cpu"].trouble == found["memory"].trouble
    assert "could not be reached" in found["cpu"].trouble


def test_a_server_that_never_answers_is_not_waited_for_again_and_again():
    calls = 0
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = make({"url": f"http://127.0.0.1:{silent.getsockname()[1]}", "timeout": 0.1})
        found = slow.series({f"m{i}": "a" for i in range(8)}, TODAY)
        silent.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                silent.accept()[0].close()
                calls += 1

    assert 1 <= calls <= 3
    assert all("no whole answer" in series.trouble or "too slow" in series.trouble for series in found.values())


def test_a_server_that_was_gone_is_asked_again_after_a_rest(url):
    clock = [0.0]
    gone = Prometheus(Options(url=f"http://127.0.0.1:{free_port()}"), now=lambda: clock[0])
    first = gone.series({"m": "old_memory"}, TODAY)["m"].trouble
    gone._url = f"{url}/api/v1/query_range"  # it comes up, elsewhere
    gone._http = Http(Allowed.of(url))
    at_once = gone.series({"m": "old_memory"}, TODAY)["m"].trouble
    clock[0] = REST_S + 1

    assert at_once == first
    assert gone.series({"m": "old_memory"}, TODAY)["m"].unknown == ""


def test_credentials_and_headers_are_sent():
    heard = []

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.path.partition("?")[0], self.headers["authorization"], self.headers["x-scope-orgid"]))
            self.send_response(401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    options = {"url": f"http://127.0.0.1:{server.server_port}/mimir/", "token": "s3cret", "headers": {"X-Scope-OrgID": "ml"}}
    trouble = make(options).series({"cpu": "a"}, TODAY)["cpu"].trouble
    server.shutdown()
    server.server_close()

    assert heard == [("/mimir/api/v1/query_range", "Bearer s3cret", "ml")]
    assert "other credentials" in trouble
    assert "s3cret" not in trouble


def test_it_is_no_prediction_log(prometheus):
    with pytest.raises(SourceUnavailable, match="holds numbers, no predictions"):
        prometheus.reading(DELAYS, TODAY)
    with pytest.raises(SourceUnavailable, match="holds numbers, no predictions"):
        prometheus.sample(DELAYS, TODAY, 10)


# what a user does with it, from the configuration on


@pytest.fixture
def home(tmp_path, monkeypatch, url):
    """A folder with a log of three days, without any latency, and a model whose metrics the Prometheus knows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIOPS_CONFIG", raising=False)
    rng = np.random.default_rng(1)
    times = pd.date_range(NOW - 3 * DAY, NOW, periods=9_000, tz="UTC")
    frame = pd.DataFrame({"time": times, "version": "v1", "score": rng.random(9_000), "age": rng.normal(size=9_000)})
    frame.to_parquet(tmp_path / "log.parquet")
    configured(tmp_path, url)
    return tmp_path


def configured(folder, url, **queries):
    metrics = {
        "source": "prom",
        "memory": "max(old_memory)",
        "throughput": "sum(old_asked)",
        "latency_p95": "max(old_slow)",
        "limits": {"memory": "4GiB"},
    }
    model = {
        "name": "delay-eta",
        "team": "ml",
        "source": "log",
        "reference": {"start": PAST.start.isoformat(), "end": PAST.end.isoformat()},
        "features": {"age": {"kind": "numeric", "importance": 0.5}},
        "metrics": metrics | queries,
        "watches": [
            {"name": "ops", "every": "*/5 * * * *", "window": "2h", "checks": ["resources", "latency", "missing"]},
        ],
    }
    settings = {
        "teams": {"ml": {}},
        "sources": {"log": {"kind": "files", "path": "log.parquet"}, "prom": {"kind": "prometheus", "url": url}},
        "models": [model],
    }
    Path(folder / "aiops.yaml").write_text(yaml.safe_dump(settings))


def checked(capsys, at=NOW - HOUR):
    main(["check", "delay-eta", "--at", at.isoformat(), "--json"])
    found = json.loads(capsys.readouterr().out)["findings"]
    return {(f["check"], f["subject"]): f for f in found}


def doctored(capsys):
    main(["doctor", "--json"])
    return [r for r in json.loads(capsys.readouterr().out)["lines"] if r["topic"] == "metrics"]


def test_a_day_with_too_much_memory_no_traffic_and_slow_answers_is_told(home, capsys):
    found = checked(capsys)

    assert {key: f["verdict"] for key, f in found.items() if key[0] != "source"} == {
        ("resources", "memory"): "critical",
        ("resources", "memory_limit"): "critical",
        ("resources", "throughput"): "critical",
        ("resources", "latency_p95"): "critical",
        ("latency", "p95"): "warning",
        ("missing", "age"): "healthy",
        ("missing", "score"): "healthy",
    }
    assert "5 GiB" in found["resources", "memory"]["text"]


def test_what_is_usual_is_kept_beyond_the_memory_of_the_server(home, capsys, url):
    main(["check", "delay-eta", "--at", (NOW - HOUR).isoformat(), "--record"])
    capsys.readouterr()
    with sqlite3.connect(home / "aiops.db") as database:
        kept = database.execute("select count(*) from references_ where model = 'delay-eta@production metrics'").fetchone()
    configured(home, url, memory="max(old_memory)", cpu="avg(old_cpu)")

    assert kept == (3,)
    assert checked(capsys)["resources", "memory"]["verdict"] == "critical"


def test_a_quiet_day_is_healthy(home, capsys):
    assert {f["verdict"] for f in checked(capsys, NOW - 30 * HOUR).values()} == {"healthy"}


def test_without_prometheus_its_metrics_are_unknown_and_the_log_is_still_watched(home, capsys):
    configured(home, f"http://127.0.0.1:{free_port()}")
    found = checked(capsys)

    assert {f["verdict"] for (check, _), f in found.items() if check in ("resources", "latency")} == {"unknown"}
    assert {f["verdict"] for (check, _), f in found.items() if check in ("missing", "source")} == {"healthy"}


def test_the_doctor_asks_every_query_and_says_what_is_wrong_with_it(home, capsys, url):
    configured(home, url, cpu="rate(", error_rate="no_such_thing")
    told = {r["words"].partition(":")[0]: r for r in doctored(capsys)}

    assert {whose: r["state"] for whose, r in told.items()} == {
        "'prom', memory of delay-eta@production": "ok",
        "'prom', throughput of delay-eta@production": "ok",
        "'prom', latency_p95 of delay-eta@production": "ok",
        "'prom', cpu of delay-eta@production": "problem",
        "'prom', error_rate of delay-eta@production": "problem",
    }
    assert "refuses the query" in told["'prom', cpu of delay-eta@production"]["words"]


def test_the_doctor_says_once_that_prometheus_is_gone(home, capsys):
    configured(home, f"http://127.0.0.1:{free_port()}")
    remarks = doctored(capsys)

    assert [r["state"] for r in remarks] == ["problem"]
    assert "could not be reached" in remarks[0]["words"]


# what is scraped while the tests run: last, because it takes a while to come in


def test_live_counters_become_rates(prometheus, live):
    found = prometheus.series(
        {
            "throughput": "sum(rate(requests_total[1s]))",
            "error_rate": "sum(rate(errors_total[1s])) / sum(rate(requests_total[1s]))",
        },
        last(),
    )

    assert np.median(found["throughput"].values) == pytest.approx(50, rel=0.2)
    assert np.median(found["error_rate"].values) == pytest.approx(0.1, rel=0.05)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("memory_byte", "no sample of this query in this window"),
        ("sum(rate(", "refuses the query: “"),
        ('label_replace(memory_bytes, "x", "y", "(", "(")', "refuses the query: “"),
        ("rate(idle_total[1s]) / rate(idle_total[1s])", "NaN or infinity at all"),
        ("1 / rate(idle_total[1s])", "NaN or infinity at all"),
        ("memory_bytes", "2 series, one of “{__name__=memory_bytes, instance="),
        ('"text"', "refuses the query: “"),
        ("", "refuses the query: “"),
    ],
)
def test_what_it_cannot_tell_is_one_sentence(prometheus, live, query, told):
    trouble = prometheus.series({"cpu": query}, last())["cpu"].trouble

    assert told in trouble
    assert "\n" not in trouble
