"""What a real Traefik never says, and a hostile or wrong server might; the promises themselves are in tests/contract."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import yaml

import bot.connectors
from bot.connectors.traefik import make, traefik
from bot.connectors.traefik.answers import counts, weights
from bot.core.errors import Aborted, ActionFailed, ConfigError, NotFound, WorldMoved
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.core.waiting import heard
from bot.http import Unreached

PLACES = {"v1": {"weighted": "d", "service": "d_v1"}, "v2": {"weighted": "d", "service": "d_v2@docker"}}
API = "/api/http/services/d@file"
METRICS = """\
# TYPE traefik_config_reloads_total counter
traefik_config_reloads_total 2
traefik_service_requests_total{code="200",method="GET",protocol="http",service="d_v1@file"} 1e+06
traefik_service_requests_total{code="503",method="POST",protocol="http",service="d_v1@file"} 7
traefik_service_requests_total{agent="x} 9",code="200",service="d_v1@file"} 5
traefik_service_requests_total{agent="\\",service=\\"d_v2@docker\\"} 1",code="200",service="other@file"} 3
traefik_service_requests_bytes_total{code="200",method="GET",protocol="http",service="d_v1@file"} 11
"""


def written(one, two):
    services = [{"name": "d_v1", "weight": one}, {"name": "d_v2@docker", "weight": two}]
    return yaml.safe_dump({"http": {"services": {"d": {"weighted": {"services": services}}}}})


def told(one, two, **more):
    services = [{"name": "d_v1", "weight": one}, {"name": "d_v2@docker", "weight": two}]
    return {"weighted": {"services": services}, "status": "enabled", "name": "d@file", "type": "weighted", **more}


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "models.yml"
    file.write_text(written(30, 10))
    return file


@contextmanager
def serving(file, answers):
    """An API with these answers by path: text, JSON, or a function that makes either; yields the connector."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            answer = answers.get(self.path)
            answer = answer() if callable(answer) else answer
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/"
    connector = make({"api": url, "file": str(file), "targets": {"d": PLACES}, "settle": 0.1})
    try:
        yield connector
    finally:
        connector.close()
        server.shutdown()
        server.server_close()
        thread.join()


def obedient(file):
    """The answer of a Traefik that works with whatever the file says."""

    def answer():
        rows = yaml.safe_load(file.read_text())["http"]["services"]["d"]["weighted"]["services"]
        return told(*(row["weight"] for row in rows))

    return answer


def test_it_is_found_by_its_name():
    assert discover(bot.connectors, ConnectorKind)["traefik"] is traefik


def test_weights_that_add_up_to_anything_are_shares_of_their_sum(file):
    with serving(file, {API: told(30, 10)}) as connector:
        assert connector.split("d") == {"v1": 0.75, "v2": 0.25}


def test_every_answer_counts_whatever_its_status_and_no_label_can_forge_one(file):
    with serving(file, {API: told(30, 10), "/metrics": METRICS}) as connector:
        assert connector.requests("d") == {"v1": 1_000_012, "v2": 0}


@pytest.mark.parametrize("page", ["", "<html>", "go_info 1\n", "x traefik_config_reloads_total 1\n"])
def test_what_is_no_metrics_of_traefik_is_told(page):
    with pytest.raises(ActionFailed, match=r"does not lead to Traefik's metrics; .* needs `metrics\.prometheus`"):
        counts(page)


@pytest.mark.parametrize("value", ["NaN", "-1", "+Inf", "1e+400", "x"])
def test_a_counter_that_is_no_number_is_told(value):
    with pytest.raises(ActionFailed, match="counts no number"):
        counts(METRICS.replace("1e+06", value))


def test_metrics_may_lie_elsewhere(file):
    with serving(file, {API: told(30, 10), "/elsewhere": METRICS}) as connector:
        url = connector._api
        other = make({"api": url, "metrics": f"{url}/elsewhere", "file": str(file), "targets": {"d": PLACES}})
        assert other.requests("d")["v1"] == 1_000_012
        other.close()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ([], "is this URL really its API"),
        ({}, "is this URL really its API"),
        (told(1, 1, name="x@file"), "is this URL really its API"),
        (told(1, 1, status="disabled", error=["no such service"]), r"switched its service 'd@file' off, .*no such service"),
        ({"name": "d@file", "status": "enabled", "loadBalancer": {}}, "is not a weighted one"),
        ({"name": "d@file", "status": "enabled", "weighted": {"services": "x"}}, "is not a weighted one"),
        ({"name": "d@file", "status": "enabled", "weighted": {"services": [3]}}, "is not a weighted one"),
        (told("x", 1), "tells no number as a weight in 'd@file'"),
        (told(None, 1), "tells no number as a weight in 'd@file'"),
        (told(True, 1), "tells no number as a weight in 'd@file'"),
        (told(1.5, 1), "tells no number as a weight in 'd@file'"),
        (told(1, 1, weighted={"services": [{"name": "d_v1", "weight": 1}] * 2}), "names a service twice"),
    ],
    ids=lambda value: None if isinstance(value, str) else "",
)
def test_what_is_no_weighted_service_is_told(answer, sentence):
    with pytest.raises(ActionFailed, match=sentence):
        weights(answer, "d@file")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("<html>", "did not answer with JSON"),
        (None, "Traefik has no service 'd@file'"),
        (told(1, 1, weighted={"services": [{"name": "d_v1", "weight": 1}]}), "sends nothing to a service 'd_v2@docker'"),
        (
            told(1, 1, weighted={"services": [*told(1, 1)["weighted"]["services"], {"name": "old", "weight": 1}]}),
            "also sends traffic to 'old@file', which aiops.yaml names for no version of d",
        ),
    ],
    ids=["page", "nothing", "too few", "too many"],
)
def test_what_is_no_split_between_the_versions_is_told(file, answer, sentence):
    with serving(file, {API: answer}) as connector, pytest.raises(ActionFailed, match=sentence):
        connector.split("d")


def test_a_service_that_gets_nothing_may_be_there_and_stays_there(file):
    rows = [*told(30, 10)["weighted"]["services"], {"name": "old", "weight": 0}]
    file.write_text(yaml.safe_dump({"http": {"services": {"d": {"weighted": {"services": rows}}}}}))

    def read():
        return told(0, 0, weighted=yaml.safe_load(file.read_text())["http"]["services"]["d"]["weighted"])

    with serving(file, {API: read}) as connector:
        connector.set_split("d", {"v2": 1.0}, "run:1")

        assert connector.split("d") == {"v1": 0.0, "v2": 1.0}


def test_weights_are_whole_and_add_up(file):
    with serving(file, {API: obedient(file)}) as connector:
        connector.set_split("d", {"v1": 1 / 3, "v2": 2 / 3}, "run:1")

    assert file.read_text() == written(3333, 6667)


def test_what_is_served_already_is_left_as_its_operators_wrote_it(file):
    with serving(file, {API: obedient(file)}) as connector:
        connector.set_split("d", {"v1": 0.75, "v2": 0.25}, "run:1")

    assert file.read_text() == written(30, 10)


def test_what_traefik_does_not_take_over_is_put_back(file):
    with (
        serving(file, {API: told(30, 10)}) as connector,
        pytest.raises(
            ActionFailed,
            match=r"within 0\.1 s: it serves d_v1 30, d_v2@docker 10, and its log tells .* The file says the old ones again\.$",
        ),
    ):
        connector.set_split("d", {"v2": 1.0}, "run:1")

    assert file.read_text() == written(30, 10)


def test_a_traefik_that_falls_silent_is_told_as_such_and_the_file_put_back(file):
    once = iter([told(30, 10)])
    with (
        serving(file, {API: lambda: next(once, None)}) as connector,
        pytest.raises(ActionFailed, match=r"0\.1 s: Traefik has no service .* old ones again"),
    ):
        connector.set_split("d", {"v2": 1.0}, "run:1")

    assert file.read_text() == written(30, 10)


def test_what_somebody_wrote_while_the_bot_waited_stays(file):
    def meddle():
        if "10000" in file.read_text():
            file.write_text(written(1, 1))
        return told(30, 10)

    with (
        serving(file, {API: meddle}) as connector,
        pytest.raises(WorldMoved, match=r"says d_v1 1, d_v2@docker 1, but Traefik"),
    ):
        connector.set_split("d", {"v2": 1.0}, "run:1")

    assert file.read_text() == written(1, 1)


def test_a_file_that_cannot_be_put_back_is_told_with_what_that_means(file):
    def lose():
        if "10000" in file.read_text():
            file.write_text("http: [")
        return told(30, 10)

    with serving(file, {API: lose}) as connector, pytest.raises(ActionFailed, match=r"mend it before Traefik restarts: .*not YAML"):
        connector.set_split("d", {"v2": 1.0}, "run:1")


def test_a_file_that_says_otherwise_than_traefik_serves_is_not_written_over(file):
    with serving(file, {API: told(40, 10)}) as connector, pytest.raises(WorldMoved, match=r"What it says stays\.$"):
        connector.set_split("d", {"v2": 1.0}, "run:1")

    assert file.read_text() == written(30, 10)


def test_ready_means_that_file_and_traefik_agree_and_the_file_can_be_written(file):
    with serving(file, {API: told(30, 10)}) as connector:
        assert connector.ready("d") == f"{file} says what Traefik serves, and can be written"
    with serving(file, {API: told(40, 10)}) as connector, pytest.raises(ActionFailed, match="or Traefik has refused the file"):
        connector.ready("d")

    assert list(file.parent.iterdir()) == [file]


def test_without_an_answer_of_traefik_nothing_is_written(file):
    with pytest.raises(Unreached, match="nothing was sent"):
        make({"api": "http://127.0.0.1:1", "file": str(file), "targets": {"d": PLACES}}).set_split("d", {"v1": 1.0}, "run:1")

    assert file.read_text() == written(30, 10)


def test_an_unknown_target_is_named(file):
    with serving(file, {}) as connector, pytest.raises(NotFound, match="Traefik serves no 'x'; known: d"):
        connector.split("x")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"targets": {}}, "Connector traefik: 'api' is missing."),
        ({"api": "ftp://a"}, "Only http:// and https:// URLs with a host can be called."),
        ({"metrics": "http://u:p@a/"}, "A configured URL holds a password; give credentials by environment instead."),
        ({"file": "models.yml"}, r"Connector traefik: file must look like ^/.{1,1000}\.ya?ml$."),
        ({"file": "/etc/models.toml"}, r"Connector traefik: file must look like ^/.{1,1000}\.ya?ml$."),
        ({"settle": 0}, "Connector traefik: settle must be greater than 0."),
        ({"targets": {"d": {}}}, "Connector traefik: targets.d needs at least 1 of them."),
        (
            {"targets": {"d": {**PLACES, "v3": {"weighted": "e", "service": "d_v3"}}}},
            "Connector traefik: targets.d must name the same `weighted` for every version: one service shares their traffic.",
        ),
        (
            {"targets": {"d": {**PLACES, "v3": {"weighted": "d", "service": "d_v1@file"}}}},
            "Connector traefik: targets.d must name another `service` for each version.",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else None,
)
def test_wrong_options_are_one_sentence(options, sentence):
    given = {"api": "http://127.0.0.1:1", "file": "/a.yml", "targets": {"d": PLACES}} | options
    if "api" in sentence:
        del given["api"]
    with pytest.raises(ConfigError) as wrong:
        make(given)

    assert str(wrong.value) == sentence


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "", "x" * 201, "a@b@c"])
def test_a_name_that_would_change_the_question_is_refused(name):
    with pytest.raises(ConfigError, match=r"targets\.d\.v1\.service"):
        make({"api": "http://a", "file": "/a.yml", "targets": {"d": {"v1": {"weighted": "d", "service": name}}}})


def test_an_abort_while_traefik_does_not_take_the_file_over_leaves_no_weights_that_going_back_would_not_know(file):
    def ear():
        if file.read_text() != before:
            raise Aborted("It was aborted.")

    before = file.read_text()
    with serving(file, {API: told(30, 10)}) as connector:
        with heard(ear), pytest.raises(Aborted):
            connector.set_split("d", {"v1": 0.5, "v2": 0.5}, "run:half")
        assert yaml.safe_load(file.read_text()) == yaml.safe_load(before)
        connector.set_split("d", {"v1": 0.75, "v2": 0.25}, "run:half:undo")
