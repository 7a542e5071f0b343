"""Jobs behind HTTP, against a real server that remembers what was started under which key."""

import hashlib
import hmac
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import bot.connectors
from bot.connectors.http_job import http_job, make
from bot.connectors.orders import short
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.jobs import Job, Stage
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unreached


class Scheduler:
    """A scheduler in the manner of Airflow's API: a start is a PUT of an id of the caller's, a second one is a conflict."""

    def __init__(self):
        self.runs, self.calls, self.broken = {}, [], 0

    def start(self, body):
        key = body["run_id"]
        if key in self.runs:
            return 409, {"detail": "exists"}
        self.runs[key] = {"state": "queued", "conf": body["conf"], "info": {"note": "waiting for a worker", "out": {}}}
        return (self.broken, {}) if self.broken else (200, {"run_id": key})

    def answer(self, method, path, body):
        key = path.rpartition("/")[2]
        if method == "POST":
            return self.start(body)
        if self.broken:
            return self.broken, {}
        if key not in self.runs:
            return 404, {}
        if method == "PATCH":
            self.runs[key]["state"] = body["state"]
        return 200, self.runs[key]


@contextmanager
def serving(scheduler):
    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            raw = self.rfile.read(int(self.headers.get("content-length") or 0))
            scheduler.calls.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, raw))
            status, told = scheduler.answer(self.command, self.path, json.loads(raw or b"{}"))
            body = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = answer  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def options(url, **more):
    retrain = {
        "start": {"url": f"{url}/dags/{{model}}/runs", "body": {"run_id": "{key}", "conf": {"until": "{until}", "n": 3}}},
        "status": f"{url}/runs/{{key}}",
        "cancel": {"url": f"{url}/runs/{{key}}", "method": "PATCH", "body": {"state": "failed"}},
        "words": "info.note",
        "result": "info.out",
    }
    return {"jobs": {"retrain": retrain}, "timeout": 2.0, **more}


GIVEN = {"model": "late arrivals", "until": "2026-01-01"}


@pytest.fixture
def scheduler():
    return Scheduler()


@pytest.fixture
def jobs(scheduler):
    with serving(scheduler) as url:
        made = make(options(url))
        yield made
        made.close()


def test_a_start_carries_its_key_and_its_parameters(jobs, scheduler):
    jobs.start("retrain", GIVEN, "run:1")
    method, path, headers, raw = scheduler.calls[0]

    assert (method, path) == ("POST", "/dags/late%20arrivals/runs")
    assert headers["idempotency-key"] == short("run:1")
    assert json.loads(raw) == {"run_id": short("run:1"), "conf": {"until": "2026-01-01", "n": 3}}


def test_a_second_start_is_a_conflict_and_that_is_success(jobs, scheduler):
    jobs.start("retrain", GIVEN, "run:1")
    jobs.start("retrain", GIVEN, "run:1")

    assert len(scheduler.runs) == 1


def test_the_servers_words_are_followed_to_the_end(jobs, scheduler):
    jobs.start("retrain", GIVEN, "run:1")
    seen = [jobs.job("retrain", "run:1")]
    run = scheduler.runs[short("run:1")]
    run |= {"state": "success", "info": {"note": "trained v4", "out": {"version": "v4"}}}
    seen.append(jobs.job("retrain", "run:1"))

    assert seen == [Job(Stage.RUNNING, "waiting for a worker"), Job(Stage.SUCCEEDED, "trained v4", {"version": "v4"})]


def test_cancelling_asks_the_server_to_stop_it(jobs, scheduler):
    jobs.start("retrain", GIVEN, "run:1")
    jobs.cancel("retrain", "run:1")

    assert jobs.job("retrain", "run:1").stage is Stage.FAILED


def test_cancelling_what_the_server_does_not_know_is_no_trouble(jobs):
    jobs.cancel("retrain", "run:9")

    assert jobs.job("retrain", "run:9").stage is Stage.ABSENT


def test_a_server_that_breaks_over_the_start_may_have_done_it(jobs, scheduler):
    scheduler.broken = 503
    with pytest.raises(OutcomeUnknown, match="503"):
        jobs.start("retrain", GIVEN, "run:1")

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN
    scheduler.broken = 0
    assert jobs.job("retrain", "run:1").stage is Stage.RUNNING


def test_a_refusal_is_a_failure(jobs, scheduler):
    scheduler.broken = 403
    with pytest.raises(ActionFailed, match="403"):
        jobs.start("retrain", GIVEN, "run:1")


def test_a_server_that_is_down_was_not_started_and_cannot_be_asked():
    jobs = make(options("http://127.0.0.1:1"))
    with pytest.raises(Unreached):
        jobs.start("retrain", GIVEN, "run:1")

    assert jobs.job("retrain", "run:1").stage is Stage.UNKNOWN


def test_an_answer_without_a_state_is_named(jobs, scheduler):
    jobs.start("retrain", GIVEN, "run:1")
    del scheduler.runs[short("run:1")]["state"]
    with pytest.raises(ActionFailed, match="says no 'state'"):
        jobs.job("retrain", "run:1")


def test_each_call_is_signed_over_its_very_bytes(scheduler):
    with serving(scheduler) as url:
        jobs = make(options(url, secret="s3cret", headers={"authorization": "Bearer t"}))
        jobs.start("retrain", GIVEN, "run:1")
    _, _, headers, raw = scheduler.calls[0]
    wanted = hmac.new(b"s3cret", f"v1:{headers['x-aiops-timestamp']}:".encode() + raw, hashlib.sha256).hexdigest()

    assert (headers["x-aiops-signature"], headers["authorization"]) == (f"v1={wanted}", "Bearer t")


def test_the_order_is_told_in_words(jobs):
    told = jobs.order("retrain", GIVEN)

    assert told.startswith("retrain: POST http://127.0.0.1:")
    assert told.endswith("/dags/late%20arrivals/runs with model late arrivals, until 2026-01-01")


@pytest.mark.parametrize("value", ["../../admin", "x?force=1", "a/b", "#", "%2e%2e"])
def test_a_parameter_stays_one_piece_of_the_path(jobs, scheduler, value):
    jobs.start("retrain", {**GIVEN, "model": value}, "run:1")

    assert scheduler.calls[0][1].count("/") == 3
    assert "?" not in scheduler.calls[0][1]


def test_a_missing_parameter_is_named(jobs):
    with pytest.raises(ConfigError, match="needs 'until'"):
        jobs.order("retrain", {"model": "m"})


def test_an_unknown_job_names_the_known_ones(jobs):
    with pytest.raises(NotFound, match="known: retrain"):
        jobs.order("deploy", {})


def test_no_parameter_chooses_the_host():
    with pytest.raises(ConfigError, match="the host"):
        make({"jobs": {"x": {"start": {"url": "https://{model}.corp/run"}, "status": "https://a.corp/{key}"}}})


@pytest.mark.parametrize("wrong", [{}, {"jobs": {}}, {"jobs": {"x": {"start": "http://a"}}}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError):
        make(wrong)


def test_it_is_found_as_a_connector():
    assert discover(bot.connectors, ConnectorKind)["http_job"] is http_job
