"""The edge of a small company: two versions, a real Envoy before them, callers who never pause, and an admin door that counts.

Nothing here knows of the bot. What the admin door has let through is what really reached the target, so effects are proven there.
"""

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps, loads
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from bot.demo.envoy import EnvoyProcess

TARGET = "delays"
SERVING, EARLIER = "v3", "v2"
SCORES = {EARLIER: 0.2, SERVING: 0.5}
"""What each version answers to everything. One row of five comes true: v2 is honest, v3 promises 30 points too much."""
SET, STATE, COUNTERS = "/runtime_modify", "/runtime", "/stats"
HOLD_S = 20.0


@dataclass(frozen=True)
class Call:
    """One call that came through the admin door: when (monotonic), to which path, with which weights."""

    at: float
    path: str
    weights: Mapping[str, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """The share that the earlier version was given."""
        return next(weight for key, weight in self.weights.items() if key.endswith(EARLIER)) / sum(self.weights.values())


@dataclass
class Hold:
    """The first call to `path` after so many settings is kept waiting: `answer` holds back only the answer, the effect is there."""

    path: str
    sets: int
    answer: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)

    def wait(self, within: float = 20.0) -> None:
        assert self.reached.wait(within), f"{self.path} was not called after {self.sets} settings within {within:g} s"

    def release(self) -> None:
        self.released.set()


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one piece

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def answer(self, status: int, kind: str, content: bytes) -> None:
        with suppress(OSError):  # whoever asked may have been killed
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()


class _Version(_Quiet):
    def __init__(self, version: str, *rest: Any) -> None:
        self.version = version
        super().__init__(*rest)

    def do_GET(self) -> None:
        self.answer(200, "application/json", dumps({"version": self.version}).encode())

    def do_POST(self) -> None:
        rows = len(next(iter(loads(self.body())["columns"].values())))
        scores = [SCORES[self.version]] * rows
        self.answer(200, "application/json", dumps({"version": self.version, "scores": scores}).encode())


class _Admin(_Quiet):
    def __init__(self, door: "Door", *rest: Any) -> None:
        self.door = door
        super().__init__(*rest)

    def do_GET(self) -> None:
        self._pass("GET")

    def do_POST(self) -> None:
        self._pass("POST")

    def _pass(self, method: str) -> None:
        self.body()
        self.answer(*self.door.passes(method, self.path))


class Door:
    """Everything that goes to Envoy's admin interface goes through here, and is written down."""

    def __init__(self, admin: str) -> None:
        self._admin = admin
        self._holds: list[Hold] = []
        self._lock = threading.Lock()
        self.calls: list[Call] = []

    @property
    def sets(self) -> list[Call]:
        """What was set at the target, in order."""
        return [call for call in self.calls if call.path == SET]

    def hold(self, path: str, *, sets: int, answer: bool = False) -> Hold:
        """Keep the next fitting call waiting; `sets` counts the settings that have come through, this one included."""
        self._holds.append(Hold(path, sets, answer))
        return self._holds[-1]

    def forget(self) -> None:
        """Begin a new record."""
        for hold in self._holds:
            hold.release()
        self._holds, self.calls = [], []

    def passes(self, method: str, target: str) -> tuple[int, str, bytes]:
        """Let one call through and return the answer."""
        asked = urlsplit(target)
        weights = {key: int(value) for key, value in parse_qsl(asked.query)} if asked.path == SET else {}
        hold = self._held(asked.path)
        if hold and not hold.answer:
            _waits(hold)
        try:
            said = httpx.request(method, self._admin + target, trust_env=False, timeout=5.0)
        except httpx.HTTPError:
            return 502, "text/plain", b"the admin interface does not answer"
        with self._lock:
            self.calls.append(Call(time.monotonic(), asked.path, weights))
        if hold and hold.answer:
            _waits(hold)
        return said.status_code, said.headers.get("content-type", "text/plain"), said.content

    def _held(self, path: str) -> Hold | None:
        with self._lock:
            sets = len(self.sets) + (path == SET)
            for hold in self._holds:
                if hold.path == path and hold.sets == sets and not hold.reached.is_set():
                    return hold
        return None


def _waits(hold: Hold) -> None:
    hold.reached.set()
    hold.released.wait(HOLD_S)


class Callers:
    """Somebody who asks for a prediction all the time, and remembers every time that none came."""

    def __init__(self, front: str) -> None:
        self._where = urlsplit(front)
        self.answered: list[float] = []
        self.failed: list[tuple[float, str]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="callers", daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        connection = http.client.HTTPConnection(str(self._where.hostname), self._where.port or 80, timeout=5)
        while not self._stopping.wait(0.008):
            try:
                connection.request("GET", "/predict")
                answer = connection.getresponse()
                version = loads(answer.read())["version"]
                assert answer.status == 200, answer.status
                assert version in SCORES, version
            except Exception as trouble:  # noqa: BLE001  whatever it was, a caller got no prediction
                connection.close()
                self.failed.append((time.monotonic(), repr(trouble)))
            else:
                self.answered.append(time.monotonic())

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(10)


class Edge:
    """All of it, running; `fresh` puts everything back to where it began."""

    def __init__(self, folder: Path) -> None:
        with ExitStack() as running:
            self.servers = {version: running.enter_context(_serving(partial(_Version, version))) for version in SCORES}
            ports = {version: urlsplit(url).port or 0 for version, url in self.servers.items()}
            self.envoy = EnvoyProcess(folder, TARGET, ports, {SERVING: 100})
            running.callback(self.envoy.stop)
            self.door = Door(self.envoy.admin)
            self.admin = running.enter_context(_serving(partial(_Admin, self.door)))
            self.callers = Callers(self.envoy.front)
            running.callback(self.callers.stop)
            self._running = running.pop_all()
        self.outages: list[tuple[float, float]] = []

    @property
    def options(self) -> Mapping[str, object]:
        """The options of a platform of kind `envoy`: its admin interface is found behind the door."""
        return {**self.envoy.options, "admin": self.admin}

    def fresh(self) -> None:
        """Take every override away and forget what was recorded."""
        self.door.forget()
        keys = {f"traffic.{TARGET}_{version}": "" for version in SCORES}
        httpx.post(self.envoy.admin + SET, params=keys, trust_env=False).raise_for_status()
        self.outages, self.callers.failed, self.callers.answered = [], [], []

    def restarts(self) -> None:
        """Crash Envoy and start it again; it forgets what was set, and its callers wait a moment."""
        began = time.monotonic()
        self.envoy.restart()
        self.outages.append((began, time.monotonic() + 0.5))

    def close(self) -> None:
        self._running.close()


@contextmanager
def _serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
