import asyncio

import httpx
import numpy as np
import pytest

from bot.demo import modelserver
from bot.demo.flights import CATEGORIES, FEATURES
from bot.demo.models import UnreadableFeatures


class Tenths:
    """Scores each row with a tenth of its distance."""

    def scores(self, frame):
        if "distance" not in frame:
            raise UnreadableFeatures("The model needs the feature 'distance'.")
        return frame["distance"].to_numpy(float) / 10 if len(frame) else np.empty(0)


class Caller:
    """Calls the server inside this process."""

    def __init__(self):
        self._app = httpx.ASGITransport(modelserver.application("v7", Tenths()))

    def get(self, path):
        return asyncio.run(self._call("GET", path))

    def post(self, path, **content):
        return asyncio.run(self._call("POST", path, **content))

    async def _call(self, method, path, **content):
        async with httpx.AsyncClient(transport=self._app, base_url="http://model") as client:
            return await client.request(method, path, **content)


@pytest.fixture
def client():
    return Caller()


def flight(**features):
    return {name: ("x" if name in CATEGORIES else 1.0) for name in FEATURES} | features


def test_each_flight_gets_its_score_and_the_version_says_who_it_was(client):
    answer = client.post("/predict", json={"airport": "JFK", "time": "t", "flights": [flight(distance=1), flight(distance=2)]})

    assert answer.json() == {"version": "v7", "scores": [0.1, 0.2]}
    assert answer.headers["x-model-version"] == "v7"


def test_rows_can_be_scored_again_by_column(client):
    assert client.post("/score", json={"columns": {"distance": [3, 4]}}).json() == {"version": "v7", "scores": [0.3, 0.4]}


def test_no_flights_get_no_scores(client):
    assert client.post("/predict", json={"flights": []}).json()["scores"] == []


@pytest.mark.parametrize(
    ("path", "body", "sentence"),
    [
        ("/predict", b"nonsense", "A question is a JSON object."),
        ("/predict", b"[" * 100_000, "A question is a JSON object."),
        ("/predict", b"[]", 'A question holds "flights": a list of objects with the features.'),
        ("/predict", b'{"flights": [3]}', 'A question holds "flights": a list of objects with the features.'),
        ("/predict", b'{"flights": [{"carrier": "AA"}]}', "The model needs the feature 'distance'."),
        ("/score", b'{"columns": [1]}', 'A question holds "columns": an object of lists.'),
        ("/score", b'{"columns": {"a": [1], "b": []}}', "All columns of a question must be equally long."),
    ],
)
def test_what_is_no_question_is_answered_with_one_sentence(client, path, body, sentence):
    answer = client.post(path, content=body)

    assert (answer.status_code, answer.json()) == (400, {"version": "v7", "error": sentence})


def test_a_question_of_any_size_is_not_read_to_its_end(client, monkeypatch):
    monkeypatch.setattr(modelserver, "MOST_BYTES", 1000)

    assert client.post("/predict", content=b"x" * 2000).json()["error"] == "A question must not be larger than 1,000 bytes."


def test_the_counters_tell_requests_rows_and_errors(client):
    client.post("/predict", json={"flights": [flight(distance=1)] * 3})
    client.post("/predict", content=b"x")
    told = client.get("/metrics").text

    assert 'model_requests_total{version="v7"} 2\n' in told
    assert 'model_rows_total{version="v7"} 3\n' in told
    assert 'model_errors_total{version="v7"} 1\n' in told


def test_health_names_the_version(client):
    assert client.get("/healthz").json() == {"version": "v7", "status": "ok"}
