"""What a real Envoy never says, and a hostile or wrong server might; the promises themselves are in tests/contract."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

import bot.connectors
from bot.connectors.envoy import envoy, make
from bot.core.errors import ActionFailed, ConfigError
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unreached

PLACES = {"v1": {"runtime_key": "traffic.d_v1", "cluster": "d_v1"}, "v2": {"runtime_key": "traffic.d_v2", "cluster": "d_v2"}}


@contextmanager
def admin(answers):
    """An admin interface that gives these answers by path (text, or JSON); yields the connector and what it was asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            answer = answers.get(self.path.partition("?")[0])
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(404 if answer is None else 200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    connector = make({"admin": f"http://127.0.0.1:{server.server_port}/", "targets": {"d": PLACES}})
    try:
        yield connector, asked
    finally:
        connector.close()
        server.shutdown()
        server.server_close()
        thread.join()


def runtime(**values):
    return {"entries": {f"traffic.d_{version}": {"final_value": value} for version, value in values.items()}}


def routes(**weights):
    clusters = [{"name": f"d_{version}", "weight": weight} for version, weight in weights.items()]
    return {"configs": [{"routes": [{"route": {"weighted_clusters": {"clusters": clusters}}}]}]}


def test_it_is_found_by_its_name():
    assert discover(bot.connectors, ConnectorKind)["envoy"] is envoy


def test_all_weights_are_set_in_one_call_so_that_no_moment_lies_between():
    with admin({"/runtime_modify": "OK\n"}) as (connector, asked):
        connector.set_split("d", {"v1": 1 / 3, "v2": 2 / 3}, "run:1")

    assert asked == ["/runtime_modify?traffic.d_v1=3333&traffic.d_v2=6667"]


def test_weights_that_add_up_to_anything_are_shares_of_their_sum():
    with admin({"/runtime": runtime(v1="30", v2="10")}) as (connector, _):
        assert connector.split("d") == {"v1": 0.75, "v2": 0.25}


@pytest.mark.parametrize("odd", ["abc", "", "-1", "10.5", "1e3", "\uff19"])
def test_a_runtime_value_that_is_no_whole_number_is_not_taken_for_one(odd):
    with admin({"/runtime": runtime(v1=odd, v2="50"), "/config_dump": routes(v1=50, v2=7)}) as (connector, _):
        assert connector.split("d") == {"v1": 0.5, "v2": 0.5}


def test_a_cluster_that_no_route_names_is_told():
    answers = {"/runtime": runtime(v1="1"), "/config_dump": routes(v1=1)}
    with admin(answers) as (connector, _), pytest.raises(ActionFailed, match=r"^Envoy knows no weight for v2 of d; compare"):
        connector.split("d")


@pytest.mark.parametrize("answer", [[], {}, {"entries": []}, "null"])
def test_a_server_that_is_no_envoy_is_told(answer):
    with admin({"/runtime": answer}) as (connector, _), pytest.raises(ActionFailed, match="is this URL really its admin"):
        connector.split("d")


@pytest.mark.parametrize("weight", ["abc", None, [1], -1])
def test_a_static_weight_that_is_no_number_is_no_weight(weight):
    with admin({"/runtime": runtime(v1="1"), "/config_dump": routes(v2=weight)}) as (connector, _), pytest.raises(ActionFailed):
        connector.split("d")


@pytest.mark.parametrize("stats", [{"stats": []}, [], {"stats": [3, {"name": "cluster.d_v1.upstream_rq_completed", "value": "x"}]}])
def test_a_cluster_without_a_counter_is_told(stats):
    with admin({"/stats": stats}) as (connector, _), pytest.raises(ActionFailed, match="Envoy has no cluster 'd_v1'"):
        connector.requests("d")


def test_an_answer_other_than_ok_is_no_ok():
    with admin({"/runtime_modify": "maybe"}) as (connector, _), pytest.raises(ActionFailed, match="did not take the new weights"):
        connector.set_split("d", {"v1": 1.0}, "run:1")


def test_an_admin_interface_that_forbids_it_is_told():
    with admin({}) as (connector, _), pytest.raises(ActionFailed, match="/runtime_modify answered 404"):
        connector.set_split("d", {"v1": 1.0}, "run:1")


def test_an_envoy_that_is_not_there_was_never_reached():
    with pytest.raises(Unreached, match="nothing was sent"):
        make({"admin": "http://127.0.0.1:1", "targets": {"d": PLACES}}).set_split("d", {"v1": 1.0}, "run:1")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"targets": {}}, "Connector envoy: 'admin' is missing."),
        ({"admin": "http://a", "targets": {}, "zzz": "x"}, "Connector envoy: there is no setting 'zzz'."),
        ({"admin": "ftp://a", "targets": {}}, "Only http:// and https:// URLs with a host can be called."),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence):
    with pytest.raises(ConfigError) as wrong:
        make(options)

    assert str(wrong.value) == sentence


@pytest.mark.parametrize("key", ["a&b=1", "a b", "", "x" * 201])
def test_a_key_that_would_change_the_question_is_refused(key):
    with pytest.raises(ConfigError, match=r"targets\.d\.v1\.runtime_key"):
        make({"admin": "http://127.0.0.1:1", "targets": {"d": {"v1": {"runtime_key": key, "cluster": "c"}}}})
