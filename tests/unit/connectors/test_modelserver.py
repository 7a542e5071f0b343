import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

import bot.connectors
from bot.connectors.modelserver import ModelServers, Options, make, model_servers
from bot.core.errors import ActionFailed, ConfigError, NotFound
from bot.core.ports import ConnectorKind
from bot.core.readings import Sample
from bot.core.registry import discover
from bot.http import Unreached


def sample(**features):
    n = len(next(iter(features.values()))) if features else 0
    return Sample(
        {name: tuple(values) for name, values in features.items()},
        np.zeros(n),
        np.zeros(n, bool),
        np.full(n, "v1"),
        np.arange(n),
    )


@contextmanager
def server(answer, **options):
    """A model server that answers each question with `answer(columns)`; yields the scorer and the questions."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            columns = json.loads(self.rfile.read(int(self.headers["content-length"])))["columns"]
            asked.append((self.path, columns))
            body = json.dumps(answer(columns)).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    listening = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{listening.server_port}"
    pauses = []
    scorer = ModelServers(Options(targets={"delays": {"v1": url, "v2": url + "/two/"}}, **options), sleep=pauses.append)
    try:
        yield scorer, asked, pauses
    finally:
        scorer.close()
        listening.shutdown()
        listening.server_close()
        thread.join()


def tenth(columns):
    return {"version": "v1", "scores": [value / 10 for value in columns["a"]]}


def test_it_is_found_by_its_name():
    assert discover(bot.connectors, ConnectorKind)["model_servers"] is model_servers


def test_each_row_gets_its_score_in_order():
    with server(tenth, batch=2) as (scorer, asked, _):
        scores = scorer.score("delays", "v1", sample(a=[1, 2, 3, 4, 5]))

    assert scores.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert [columns["a"] for _, columns in asked] == [[1, 2], [3, 4], [5]]


def test_what_json_cannot_say_is_sent_as_missing():
    rows = sample(
        a=[1.0, 2.0, 3.0, 4.0], b=[None, float("nan"), np.float64("inf"), np.float64(2.5)], c=["x", np.str_("y"), None, "z"]
    )
    with server(tenth) as (scorer, asked, _):
        scorer.score("delays", "v1", rows)

    assert asked[0][1] == {"a": [1.0, 2.0, 3.0, 4.0], "b": [None, None, None, 2.5], "c": ["x", "y", None, "z"]}


def test_each_version_is_asked_at_its_own_url():
    with server(lambda _: {"version": "v2", "scores": [0.5]}) as (scorer, asked, _):
        scorer.score("delays", "v2", sample(a=[1]))

    assert asked[0][0] == "/two/score"


def test_questions_keep_their_pace_so_that_serving_is_spared():
    with server(tenth, batch=1, per_second=2) as (scorer, _, pauses):
        scorer.score("delays", "v1", sample(a=[1, 2, 3]))

    assert pauses == pytest.approx([0.5, 1.0], abs=0.2)


def test_no_rows_are_no_question():
    with server(tenth) as (scorer, asked, _):
        assert scorer.score("delays", "v1", sample(a=[])).shape == (0,)
    assert asked == []


def test_the_versions_are_told_in_the_order_of_the_configuration():
    with server(tenth) as (scorer, _, _):
        assert scorer.versions("delays") == ("v1", "v2")


@pytest.mark.parametrize(
    "said",
    [
        {"version": "v1"},
        {"version": "v1", "scores": [0.5]},
        {"version": "v1", "scores": [0.5, 1.5]},
        {"version": "v1", "scores": [0.5, float("nan")]},
        {"version": "v1", "scores": [0.5, None]},
        {"version": "v1", "scores": "0.5"},
    ],
)
def test_an_answer_that_is_not_one_score_a_row_is_refused(said):
    with server(lambda _: said) as (scorer, _, _), pytest.raises(ActionFailed, match="one score from 0 to 1 for each of 2 rows"):
        scorer.score("delays", "v1", sample(a=[1, 2]))


@pytest.mark.parametrize("said", [{"version": "v2", "scores": [0.5]}, {"scores": [0.5]}, [0.5], None])
def test_an_answer_of_another_version_is_no_evidence(said):
    with server(lambda _: said) as (scorer, _, _), pytest.raises(ActionFailed, match="should answer as v1, but does not"):
        scorer.score("delays", "v1", sample(a=[1]))


def test_an_unknown_version_or_model_is_named_with_what_there_is():
    with server(tenth) as (scorer, _, _):
        with pytest.raises(NotFound, match="no version 'v9' of delays to ask; known: v1, v2"):
            scorer.score("delays", "v9", sample(a=[1]))
        with pytest.raises(NotFound, match="'churn'; known: delays"):
            scorer.versions("churn")


def test_a_server_that_is_not_there_was_never_reached():
    started = time.monotonic()
    with pytest.raises(Unreached):
        make({"targets": {"delays": {"v1": "http://127.0.0.1:1"}}}).score("delays", "v1", sample(a=[1]))

    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "Connector model_servers: 'targets' is missing."),
        ({"targets": {"d": {"v1": 3}}}, "Connector model_servers: targets.d.v1 must be text; put it in quotes."),
        ({"targets": {}, "batches": 3}, "Connector model_servers: there is no setting 'batches'; perhaps 'batch' is meant."),
        ({"targets": {}, "per_second": 0}, "Connector model_servers: per_second must be greater than 0."),
    ],
)
def test_wrong_options_are_one_sentence(options, sentence):
    with pytest.raises(ConfigError) as wrong:
        make(options)

    assert str(wrong.value) == sentence
