import ipaddress
import re
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bot.core.errors import ActionFailed, ConfigError, OutcomeUnknown
from bot.http import Allowed, Http, Unanswered, Unreached

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n" + b'{"a": true}'


def whole(caller):
    """Return one request with its body, which may come in a segment of its own."""
    said = caller.recv(65536)
    length = re.search(rb"(?i)content-length: (\d+)", said)
    while length and len(said.partition(b"\r\n\r\n")[2]) < int(length[1]) and (more := caller.recv(65536)):
        said += more
    return said


@contextmanager
def server(*pieces, gap_s=0.0, hang=False):
    """A server that answers every call with these pieces, `gap_s` apart; yields its URL and what it was sent."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard, over = [], threading.Event()

    def serve():
        while not over.is_set():
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            with caller:
                heard.append(whole(caller))
                try:
                    for piece in pieces:
                        caller.sendall(piece)
                        over.wait(gap_s)
                except OSError:
                    continue
                over.wait(30 if hang else 0)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def client(url, **limits):
    return Http(Allowed.of(url), **limits)


def test_an_answer_comes_back_whole():
    with server(OK) as (url, heard):
        answer = client(url).get(url + "/a", params={"k": "v w"})

    assert (answer.status, answer.json(), answer.checked().text) == (200, {"a": True}, '{"a": true}')
    assert heard[0].startswith(b"GET /a?k=v+w HTTP/1.1\r\n")


def test_a_host_that_is_not_on_the_list_is_not_called():
    with server(OK) as (url, heard), pytest.raises(ConfigError, match="is not among the hosts"):
        client("http://elsewhere.example").get(url)
    assert heard == []


def test_the_port_is_part_of_the_permission():
    with server(OK) as (url, _), pytest.raises(ConfigError, match="is not among the hosts"):
        client("http://127.0.0.1:1").get(url)


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "[::ffff:127.0.0.1]", "0", "169.254.169.254", "224.0.0.1"])
def test_a_permitted_name_must_not_lead_to_this_machine_or_to_a_special_address(host):
    with pytest.raises(ConfigError, match="leads to"):
        client(f"http://{host}:1").get(f"http://{host}:1/")


def test_a_name_that_turns_to_loopback_is_refused_at_the_call():
    with pytest.raises(ConfigError, match=r"write 127\.0\.0\.1 or localhost if that is meant"):
        Allowed.of("http://mlflow.corp").check_address("mlflow.corp", ipaddress.ip_address("127.0.0.1"))


def test_a_private_address_may_be_called_because_platforms_live_there():
    assert Allowed.of("http://mlflow.corp").check_address("mlflow.corp", ipaddress.ip_address("10.0.0.7")) is None


def test_localhost_is_called_on_whichever_of_its_addresses_answers():
    with server(OK) as (url, _):
        named = url.replace("127.0.0.1", "localhost")

        assert client(named).get(named).status == 200


def test_a_redirect_is_not_followed():
    with server(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n") as (url, heard):
        with pytest.raises(ActionFailed, match="answered with a redirect, which is not followed"):
            client(url).get(url)
        assert len(heard) == 1


def test_a_call_that_was_never_sent_can_be_repeated():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"

    with pytest.raises(Unreached, match="could not be reached; nothing was sent"):
        client(url).post(url, json={})


def test_a_name_without_an_address_was_never_reached():
    with pytest.raises(Unreached, match="could not be reached"):
        client("http://nowhere.invalid").get("http://nowhere.invalid/")


def test_a_write_that_was_sent_and_cut_off_has_an_unknown_outcome():
    with server() as (url, heard):
        with pytest.raises(OutcomeUnknown, match="broke the call off"):
            client(url).post(url + "/set", json={"a": 1})
        assert b'{"a":1}' in heard[0]


def test_a_read_that_was_cut_off_is_merely_unanswered():
    with server(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf") as (url, _), pytest.raises(Unanswered):
        client(url).get(url)


def test_a_question_asked_by_post_is_a_read():
    with server() as (url, _), pytest.raises(Unanswered):
        client(url).ask(url, json={})


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n"])
def test_a_slow_drip_ends_at_the_deadline_of_the_whole_call(head):
    started = time.monotonic()
    with server(head, *[b"x"] * 90, gap_s=0.1) as (url, _), pytest.raises(OutcomeUnknown, match=r"within 0\.5 s"):
        client(url, deadline_s=0.5).post(url)

    assert time.monotonic() - started < 2


def test_a_server_that_hangs_ends_at_the_deadline():
    with server(hang=True) as (url, _), pytest.raises(Unanswered, match=r"within 0\.3 s"):
        client(url, deadline_s=0.3).get(url)


def test_an_answer_over_the_size_cap_is_dropped():
    with server(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 5000) as (url, _), pytest.raises(Unanswered, match="more than 1,000 bytes"):
        client(url, most_bytes=1000).get(url)


def test_a_compressed_answer_is_refused_unopened():
    with (
        server(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b") as (url, _),
        pytest.raises(Unanswered),
    ):
        client(url).get(url)


def test_a_status_that_is_no_success_is_an_error_when_asked():
    with server(b"HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n") as (url, _):
        answer = client(url).get(url + "/a")

    with pytest.raises(ActionFailed, match=r"^127.0.0.1:\d+/a answered 503\.$"):
        answer.checked()


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_no_json_says_so(body):
    with server(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body) as (url, _):
        answer = client(url).get(url)

    with pytest.raises(ActionFailed, match="did not answer with JSON"):
        answer.json()


@pytest.mark.parametrize(
    "url", ["ftp://a/", "file:///etc/passwd", "http://", "nonsense", "http://ana:secret@a/", "http://a:99999999/"]
)
def test_a_url_that_cannot_be_called_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError) as refused:
        Allowed.of(url)

    assert "secret" not in str(refused.value)


def test_a_query_is_not_told_in_errors_because_it_may_hold_a_token():
    with server() as (url, _), pytest.raises(OutcomeUnknown) as cut:
        client(url).post(url + "/set", params={"token": "xoxb"})

    assert "xoxb" not in str(cut.value)


def test_idle_connections_are_closed():
    with server(OK) as (url, _):
        http = client(url)
        http.get(url)
        http.close()

        with pytest.raises(RuntimeError, match="closed"):
            http.get(url)


@pytest.mark.parametrize(("idle", "connections"), [(30.0, 1), (0.0, 2)])
def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch, idle, connections):
    """A server that hangs up at this very moment would leave the outcome of a write unknown."""
    monkeypatch.setattr("bot.http.IDLE_S", idle)
    with keeping() as (url, callers):
        http = client(url)
        http.get(url)
        time.sleep(0.01)
        http.get(url)
        http.close()

    assert len(set(callers)) == connections


@contextmanager
def keeping():
    """A server that keeps its connections; yields its URL and, call by call, the port of the caller."""
    callers = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            callers.append(self.client_address[1])
            self.wfile.write(OK)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as house:
        threading.Thread(target=house.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{house.server_port}", callers
        house.shutdown()
