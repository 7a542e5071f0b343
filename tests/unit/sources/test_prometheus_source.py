"""What a Prometheus may answer, and what is made of it; a real one answers in `tests/contract/test_prometheus.py`."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import sources
from bot.core.errors import ActionFailed, ConfigError
from bot.core.ports import SourceKind
from bot.core.registry import discover
from bot.core.windows import Window
from bot.http import Answer
from bot.sources.prometheus import LEAST_POINTS, MOST_POINTS, grid, make, series_of, source

START = datetime(2026, 3, 1, tzinfo=UTC)


def answer(body, status=200):
    return Answer(status, body if isinstance(body, bytes) else json.dumps(body).encode(), "prom:9090/api/v1/query_range")


def success(*result, **more):
    return answer({"status": "success", "data": {"resultType": "matrix", "result": list(result)}, **more})


def series(*values, **labels):
    return {"metric": labels, "values": [[i, value] for i, value in enumerate(values)]}


def refused(given, points=10):
    with pytest.raises(ActionFailed) as reason:
        series_of(given, points)
    return str(reason.value)


def test_it_is_found_by_its_name():
    assert discover(sources, SourceKind)["prometheus"] is source


@pytest.mark.parametrize(
    ("length", "points", "step_s"),
    [
        (timedelta(seconds=4), 20, 0.2),
        (timedelta(minutes=5), 20, 15),
        (timedelta(hours=1), 240, 15),
        (timedelta(days=1), 300, 288),
        (timedelta(days=60), 300, 17_280),
        (timedelta(milliseconds=1), 1, 0.001),
    ],
)
def test_a_window_is_asked_for_at_so_many_points(length, points, step_s):
    assert grid(Window(START, START + length)) == (points, step_s * 1_000)


@given(st.integers(1_000, 10**10))
def test_points_are_never_many_and_stay_in_the_window(length_ms):
    points, step_ms = grid(Window(START, START + timedelta(milliseconds=length_ms)))

    assert LEAST_POINTS - 1 <= points <= MOST_POINTS
    assert points * step_ms <= length_ms + 1


def test_samples_come_in_the_order_of_time():
    found = series_of(success(series("1", "2.5", "3e3")), 10)

    assert (found.values.tolist(), found.asked, found.trouble) == ([1.0, 2.5, 3_000.0], 10, "")


def test_what_is_not_finite_is_left_out():
    assert series_of(success(series("NaN", "1", "+Inf", "-Inf")), 4).values.tolist() == [1.0]


def test_nothing_but_nan_is_no_number():
    assert "NaN or infinity at all 2 points" in refused(success(series("NaN", "NaN")))


def test_an_empty_list_is_no_sample():
    assert "no sample of this query" in refused(success())


def test_several_series_are_not_chosen_among():
    told = refused(success(series("1", job="a", instance="x:1"), series("2", job="b")))

    assert told == "The query answers with 2 series, one of “{job=a, instance=x:1}”: make it one by sum(), avg() or max()."


def test_a_bad_query_is_told_in_the_servers_words_on_one_line():
    body = {"status": "error", "errorType": "bad_data", "error": "1:5: parse error:\nunexpected end of input"}

    assert refused(answer(body, 400)) == "Prometheus refuses the query: “1:5: parse error: unexpected end of input”."


def test_a_server_that_is_busy_is_not_a_bad_query():
    assert "cannot answer now: “query timed out" in refused(answer({"status": "error", "error": "query timed out"}, 503))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (answer(b"no", 401), "other credentials (401)"),
        (answer(b"no", 403), "other credentials (403)"),
        (answer(b"no", 404), "is the source's url right?"),
        (answer(b"<html>", 502), "answered 502."),
        (answer(b"<html>"), "did not answer with JSON."),
        (answer([1]), "does not answer as a Prometheus does"),
        (answer({"status": "success"}), "does not answer as a Prometheus does"),
        (answer({"status": "success", "data": {"resultType": "vector", "result": []}}), "does not answer as a Prometheus does"),
        (answer({"status": "success", "data": {"resultType": "matrix", "result": []}}, 500), "answered 500."),
        (success(series("1"), warnings=["one store is gone"]), "not whole: “one store is gone”."),
        (success(series("1", "many")), "no number"),
        (success({"metric": {}, "values": [[1]]}), "no number"),
        (success({"metric": {}, "values": [[1, None]]}), "no number"),
        (success({"metric": {}, "histograms": [[1, {}]]}), "histogram_quantile()"),
        (success("odd"), "histogram_quantile()"),
        (success("odd", 3), "2 series, one of “{}”"),
        (answer({"status": "error"}, 400), "no reason given"),
    ],
)
def test_whatever_else_it_answers_is_one_sentence(given, told):
    words = refused(given)

    assert told in words
    assert "\n" not in words


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["success", "matrix", "error"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["status", "data", "resultType", "result", "values", "metric", "warnings", "error"]), inner
        )
    ),
    max_leaves=15,
)


@settings(max_examples=60)
@given(ODD, st.lists(ODD, max_size=2), st.sampled_from([200, 400, 503]))
def test_no_answer_is_odd_enough_to_crash_it(whole, result, status):
    for given_answer in (answer(whole, status), success(*result), success({"metric": {}, "values": result})):
        with suppress(ActionFailed):
            assert np.isfinite(series_of(given_answer, 5).values).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "'url' is missing"),
        ({"url": "http://p:9090", "tokne": "x"}, "perhaps 'token' is meant"),
        ({"url": "p:9090"}, "Only http:// and https://"),
        ({"url": "http://me:hunter2@p:9090"}, "holds a password"),
        ({"url": "http://p:9090", "timeout": 0}, "must be greater than 0"),
        ({"url": "http://p:9090", "token": "hunter2\n"}, "must look like"),
        ({"url": "http://p:9090", "headers": {"X": "hunter2\r\nY: 1"}}, "must look like"),
        ({"url": "http://p:9090", "headers": ["X"]}, "must be a mapping"),
        ({"url": "http://p:9090", "token": "hunter2", "headers": {"Authorization": "hunter2"}}, "either a token or a header"),
    ],
)
def test_a_wrong_option_is_refused_and_never_repeated(options, told):
    with pytest.raises(ConfigError) as refused_options:
        make(options)

    assert told in str(refused_options.value)
    assert "hunter2" not in str(refused_options.value)
