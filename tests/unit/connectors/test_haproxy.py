"""What a real HAProxy never says, and a hostile or wrong socket might; the promises themselves are in tests/contract."""

import socket
import threading
from contextlib import contextmanager

import pytest

import bot.connectors
from bot.connectors.haproxy import haproxy, make
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.ports import ConnectorKind
from bot.core.registry import discover
from bot.http import Unreached

PLACES = {"v1": {"backend": "d", "server": "v1"}, "v2": {"backend": "d", "server": "v2"}}
HEAD = "# pxname,svname,weight,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,"
STATISTICS = f"{HEAD}\nd,v1,30,0,5,0,1,2,0,\nd,v2,10,,,,,,,\nd,BACKEND,40,0,5,0,1,2,0,\n\n"


@contextmanager
def runtime(*answers, silent=False):
    """A runtime socket that gives these answers, one a connection, or never ends them; yields the connector and what was asked."""
    asked, held = [], []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        for answer in answers:
            connection, _ = listener.accept()
            asked.append(connection.recv(10_000).decode())
            connection.sendall(answer.encode())
            held.append(connection) if silent else connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    where = f"127.0.0.1:{listener.getsockname()[1]}"
    try:
        yield make({"socket": where, "targets": {"d": PLACES}, "timeout": 0.3}), asked
    finally:
        thread.join(1)
        for open_one in (listener, *held):
            open_one.close()


def test_it_is_found_by_its_name():
    assert discover(bot.connectors, ConnectorKind)["haproxy"] is haproxy


def test_all_weights_are_set_in_one_line_so_that_hardly_a_moment_lies_between():
    with runtime(STATISTICS, "\n") as (connector, asked):
        connector.set_split("d", {"v1": 1 / 3, "v2": 2 / 3}, "run:1")

    assert asked == ["show stat\n", "set server d/v1 weight 67; set server d/v2 weight 133\n"]


def test_weights_that_add_up_to_anything_are_shares_of_their_sum():
    with runtime(STATISTICS) as (connector, _):
        assert connector.split("d") == {"v1": 0.75, "v2": 0.25}


def test_every_answer_counts_whatever_its_status():
    with runtime(STATISTICS) as (connector, _):
        assert connector.requests("d") == {"v1": 8, "v2": 0}


def test_a_sentence_instead_of_silence_is_a_failure():
    with runtime(STATISTICS, "Permission denied\n") as (connector, _), pytest.raises(ActionFailed, match="Permission denied"):
        connector.set_split("d", {"v1": 1.0}, "run:1")


def test_a_server_that_is_not_there_is_named_before_anything_is_set():
    with runtime(f"{HEAD}\nd,v1,30,0,5,0,1,2,0,\n") as (connector, asked):
        with pytest.raises(ActionFailed, match="no server 'd/v2' for v2 of d"):
            connector.set_split("d", {"v1": 1.0}, "run:1")
        assert asked == ["show stat\n"]


@pytest.mark.parametrize("nonsense", ["", "<html>", "Unknown command\n", "# pxname\n"])
def test_what_is_no_statistics_is_said_so(nonsense):
    with runtime(nonsense) as (connector, _), pytest.raises(ActionFailed, match="does not tell its statistics"):
        connector.split("d")


def test_a_weight_that_is_no_number_is_said_so():
    with (
        runtime(STATISTICS.replace("v1,30", "v1,-3")) as (connector, _),
        pytest.raises(ActionFailed, match="no number as 'weight'"),
    ):
        connector.split("d")


def test_a_read_that_never_ends_is_a_failed_read():
    with runtime(STATISTICS, silent=True) as (connector, _), pytest.raises(ActionFailed, match="no whole answer") as told:
        connector.split("d")

    assert not isinstance(told.value, OutcomeUnknown)


def test_a_write_without_an_answer_has_an_unknown_outcome():
    with runtime(STATISTICS) as (connector, _):
        assert connector.split("d")
    with runtime("", silent=True) as (connector, _), pytest.raises(OutcomeUnknown, match="no whole answer"):
        connector._asked("set server d/v1 weight 1")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "/nowhere/haproxy.sock"])
def test_a_socket_that_is_not_there_was_sent_nothing(address):
    with pytest.raises(Unreached, match="nothing was sent"):
        make({"socket": address, "targets": {"d": PLACES}}).split("d")


def test_an_unknown_target_is_named():
    with pytest.raises(NotFound, match="serves no 'x'; known: d"):
        make({"socket": "/run/haproxy.sock", "targets": {"d": PLACES}}).split("x")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"socket": "haproxy.sock", "targets": {}},
        {"socket": "h:99999", "targets": {}},
        {"socket": "/run/s", "targets": {"d": {"v1": {"backend": "a; shutdown", "server": "v1"}}}},
        {"socket": "/run/s", "targets": {}, "extra": 1},
    ],
)
def test_wrong_options_are_refused(wrong):
    with pytest.raises(ConfigError):
        make(wrong)
