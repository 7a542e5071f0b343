"""Logs without secrets, numbers, alive and ready."""

import io
import json
import logging

import pytest
import structlog
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from bot.telemetry import HIDDEN, Metrics, Redactor, configure_logging, health_app

CANARY = "canary-3f9a17"


@pytest.fixture
def logged():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()

    def start(*, as_json=True):
        configure_logging(as_json=as_json, secrets=[CANARY], stream=stream)
        return stream

    yield start
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


@pytest.mark.parametrize(
    "secret",
    [
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A0123-456-abcdef",
        "xoxe.xoxp-1-abcdefghijkl",
        "Bearer abcdefghijklmnop",
        "postgresql://bot:hunter22@db/aiops",
        "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ\n-----END PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(secret):
    said = Redactor().text(f"Slack said no to {secret} again.")

    assert HIDDEN in said
    assert secret.split()[-1].split("//")[-1] not in said


def test_an_address_keeps_everything_but_its_password():
    assert Redactor().text("postgresql://bot:hunter22@db:5432/aiops") == f"postgresql://{HIDDEN}@db:5432/aiops"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_known_secret_appears_in_no_field_message_argument_or_traceback(logged, as_json):
    stream = logged(as_json=as_json)
    log = structlog.get_logger("bot.test")
    log.info("said %s", CANARY, nested={"list": [CANARY], CANARY: 1}, bot_token="short", plain=CANARY)
    logging.getLogger("library").warning("said %s", CANARY)
    try:
        int(CANARY)
    except ValueError:
        log.exception("broke")

    assert "ValueError" in stream.getvalue()
    assert CANARY not in stream.getvalue()
    assert "short" not in stream.getvalue()


def test_a_log_entry_is_one_line_of_json_with_its_time_level_and_room(logged):
    stream = logged()
    structlog.get_logger("bot.watch").warning("window empty", model="delays@production", rows=0)
    entry = json.loads(stream.getvalue())

    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "window empty", "level": "warning", "logger": "bot.watch", "model": "delays@production", "rows": 0}


@pytest.mark.parametrize("as_json", [True, False])
def test_hostile_text_cannot_write_a_log_line_of_its_own(logged, as_json):
    stream = logged(as_json=as_json)
    logging.getLogger("bot.watch").warning("model %s is new", "x\n2030-01-01 [info] approved by U1\r\u2028y")

    assert len(stream.getvalue().strip().splitlines()) == 1


def test_the_librarys_log_comes_through_ours(logged):
    stream = logged()
    logging.getLogger("dbos").warning("queue is slow")

    assert json.loads(stream.getvalue())["logger"] == "dbos"


def page(metrics):
    samples = [sample for family in text_string_to_metric_families(metrics.page().decode()) for sample in family.samples]
    return {(sample.name, *sample.labels.values()): sample.value for sample in samples}


def test_a_number_that_is_asked_for_is_asked_at_each_scrape():
    metrics, depth = Metrics(), {"waiting": 1}
    metrics.ask("aiops_engine_workflows", "Workflows by state.", "state", lambda: depth)
    before = page(metrics)
    depth["waiting"] = 5

    assert before[("aiops_engine_workflows", "waiting")] == 1
    assert page(metrics)[("aiops_engine_workflows", "waiting")] == 5


def test_a_number_that_cannot_be_told_leaves_the_others_standing():
    metrics = Metrics()
    metrics.ask("aiops_outbox_depth", "Messages that wait.", "state", lambda: {}["away"])
    metrics.slack.labels("ok").inc()

    assert page(metrics)[("aiops_slack_calls_total", "ok")] == 1


@pytest.mark.parametrize(("alive", "status"), [(True, 200), (False, 503)])
def test_healthz_says_whether_the_loops_run(alive, status):
    answer = TestClient(health_app(Metrics(), alive=lambda: alive, ready={})).get("/healthz")

    assert (answer.status_code, answer.json()) == (status, {"alive": alive})


def test_readyz_names_what_is_missing_in_sentences_without_secrets():
    def breaks():
        raise OSError(f"postgresql://bot:{CANARY}@db refused")

    ready = {
        "database": lambda: "",
        "slack": lambda: "Slack's socket is closed; wss://u:hunter22@slack is tried again.",
        "engine": breaks,
    }
    answer = TestClient(health_app(Metrics(), alive=lambda: True, ready=ready)).get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["missing"] == {
        "slack": f"Slack's socket is closed; wss://{HIDDEN}@slack is tried again.",
        "engine": "engine cannot be asked (OSError); the log says why.",
    }


def test_readyz_is_well_when_nothing_is_missing():
    answer = TestClient(health_app(Metrics(), alive=lambda: True, ready={"database": lambda: ""})).get("/readyz")

    assert (answer.status_code, answer.json()) == (200, {"ready": True, "missing": {}})


def test_metrics_are_served_in_prometheus_format():
    metrics = Metrics()
    metrics.last_look.labels("delays@production").set(12)
    answer = TestClient(health_app(metrics, alive=lambda: True, ready={})).get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert 'aiops_last_look_timestamp_seconds{model="delays@production"} 12.0' in answer.text
