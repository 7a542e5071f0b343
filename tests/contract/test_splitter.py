"""What every splitter must do, and what `set_traffic` makes of it: on the fake and on real ones, word for word."""

import math
import socket
import subprocess
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from bot import shelf
from bot.actions.set_traffic import SetTraffic
from bot.connectors.envoy import make
from bot.connectors.haproxy import make as make_haproxy
from bot.core.errors import ActionFailed, NotFound, WorldMoved
from bot.core.runs import RunState
from bot.demo.envoy import EnvoyProcess
from bot.demo.ports import free_port
from bot.flow.decide import approve
from bot.flow.explain import explain_all
from bot.flow.propose import propose
from bot.flow.reconcile import reconcile
from tests.contract.traefik_house import TraefikHouse
from tests.fakes.nouns import a_run
from tests.fakes.splitter import FakeSplitter
from tests.unit.flow.room import Room

TARGET = "delays"


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextmanager
def model_server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class EnvoyHouse:
    """A real Envoy with two servers behind it, driven like the fake."""

    def __init__(self, folder, ports):
        self.process = EnvoyProcess(folder, TARGET, ports, {"v1": 100, "v2": 0})
        self.connector = make(self.process.options)
        self.caller = httpx.Client(trust_env=False)

    def send(self, n):
        return sum(self.caller.get(self.process.front).status_code != 200 for _ in range(n))

    def restart(self):
        self.process.restart()

    def set_raw(self, weights):
        keys = {f"traffic.{TARGET}_{version}": weight for version, weight in weights.items()}
        answer = self.caller.post(f"{self.process.admin}/runtime_modify", params=keys)
        assert answer.text.strip() == "OK"  # whatever was asked

    def close(self):
        self.caller.close()
        self.connector.close()
        self.process.stop()


class HaproxyHouse:
    """A real HAProxy with two servers behind it, driven like the fake."""

    def __init__(self, folder, ports):
        self.front = f"http://127.0.0.1:{free_port()}"
        self.socket, self.config = folder / "run.sock", folder / "haproxy.cfg"
        servers = "".join(f"  server {v} 127.0.0.1:{port} weight {100 if v == 'v1' else 0}\n" for v, port in ports.items())
        self.config.write_text(
            f"global\n  stats socket {self.socket} mode 600 level admin\n"
            "defaults\n  mode http\n  timeout connect 1s\n  timeout client 5s\n  timeout server 5s\n"
            f"frontend front\n  bind {self.front.removeprefix('http://')}\n  default_backend {TARGET}\n"
            f"backend {TARGET}\n  balance roundrobin\n{servers}"
        )
        places = {version: {"backend": TARGET, "server": version} for version in ports}
        self.connector = make_haproxy({"socket": str(self.socket), "targets": {TARGET: places}})
        self.caller = httpx.Client(trust_env=False)
        self.start()

    def start(self):
        self.process = subprocess.Popen(["haproxy", "-db", "-q", "-f", str(self.config)])
        for _ in range(200):
            try:
                return self.connector.split(TARGET)
            except ActionFailed:
                time.sleep(0.02)
        pytest.fail("HAProxy did not start.")

    def send(self, n):
        return sum(self.caller.get(self.front).status_code != 200 for _ in range(n))

    def restart(self):
        self.process.kill()
        self.process.wait()
        self.start()

    def set_raw(self, weights):
        for version, weight in weights.items():
            with socket.socket(socket.AF_UNIX) as shell:
                shell.connect(str(self.socket))
                shell.sendall(f"set server {TARGET}/{version} weight {weight}\n".encode())
                shell.recv(1_000)

    def close(self):
        self.caller.close()
        self.process.kill()
        self.process.wait()


HOUSES = {
    "envoy": (EnvoyHouse, {"v1": 10_000, "v2": 0}),
    "haproxy": (HaproxyHouse, {"v1": 200, "v2": 0}),
    "traefik": (TraefikHouse, {"v1": 100, "v2": 0}),
}
FORGETFUL = ["fake", "envoy", "haproxy"]


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Real splitters, each started when it is first asked for and kept for all its facts."""
    with ExitStack() as stack:
        there = {}

        def build(name):
            if name not in there:
                ports = {version: stack.enter_context(model_server()) for version in ("v1", "v2")}
                there[name] = HOUSES[name][0](tmp_path_factory.mktemp(name), ports)
                stack.callback(there[name].close)
            return there[name]

        yield build


@pytest.fixture(params=["fake", *HOUSES])
def house(request):
    """Something that serves: `connector` is the Splitter; `send`, `restart` and `set_raw` are what the world does to it."""
    if request.param == "fake":
        fake = FakeSplitter(TARGET)
        fake.connector = fake
        return fake
    real = request.getfixturevalue("built")(request.param)
    real.set_raw(HOUSES[request.param][1])
    return real


@pytest.fixture
def action(house):
    """The action with time made of requests: each wait lets 40 more come in."""
    clock = [0.0]

    def sleep(seconds):
        clock[0] += seconds
        house.send(40)

    return SetTraffic("set_traffic", now=lambda: clock[0], sleep=sleep)


def planned(action, house, share=0.25):
    return action.plan(house.connector, TARGET, {"version": "v2", "share": share}, step="ramp", before=None)


def carried_out(action, house, share=0.25):
    change = planned(action, house, share)
    action.apply(house.connector, change, "run:ramp")
    return change


def test_a_splitter_says_what_it_is_configured_to(house):
    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_what_is_set_is_what_is_read_back(house):
    house.connector.set_split(TARGET, {"v1": 0.9, "v2": 0.1}, "run:1")

    assert house.connector.split(TARGET) == {"v1": 0.9, "v2": 0.1}


def test_a_version_that_is_not_named_gets_nothing(house):
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")

    assert house.connector.split(TARGET) == {"v1": 0.0, "v2": 1.0}


def test_setting_the_same_again_changes_nothing(house):
    for _ in range(2):
        house.connector.set_split(TARGET, {"v1": 0.5, "v2": 0.5}, "run:1")

    assert house.connector.split(TARGET) == {"v1": 0.5, "v2": 0.5}


@pytest.mark.parametrize(
    "split",
    [{"v1": 0.0, "v2": 0.0}, {"v1": 0.5}, {"v1": 2.0, "v2": -1.0}, {"v1": math.nan, "v2": 1.0}, {"v1": math.inf}, {}, {"v9": 1.0}],
)
def test_a_split_that_nobody_could_serve_is_refused_and_nothing_moves(house, split):
    with pytest.raises(ActionFailed):
        house.connector.set_split(TARGET, split, "run:1")
    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_an_unknown_target_is_named(house):
    with pytest.raises(NotFound, match="'churn'"):
        house.connector.split("churn")


def test_requests_are_counted_by_the_version_that_answered(house):
    before = house.connector.requests(TARGET)
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")
    unserved = house.send(30)
    after = house.connector.requests(TARGET)

    assert ({v: after[v] - before[v] for v in after}, unserved) == ({"v1": 0, "v2": 30}, 0)


def test_a_weight_that_is_no_number_is_accepted_and_ignored_and_the_split_says_so(house):
    house.set_raw({"v1": "abc", "v2": "abc"})

    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_weights_of_nothing_leave_callers_unserved_and_the_split_says_so(house):
    house.set_raw({"v1": 0, "v2": 0})

    assert (house.connector.split(TARGET), house.send(5)) == ({"v1": 0.0, "v2": 0.0}, 5)


@pytest.mark.parametrize("house", FORGETFUL, indirect=True)
def test_a_restart_forgets_what_was_set_and_the_split_says_so(house):
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")
    house.restart()

    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


@pytest.mark.parametrize("house", ["traefik"], indirect=True)
def test_where_the_weights_lie_in_a_file_a_restart_keeps_them_but_counts_anew(house):
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")
    house.send(1)
    house.restart()

    assert house.connector.split(TARGET) == {"v1": 0.0, "v2": 1.0}
    assert house.connector.requests(TARGET) == {"v1": 0, "v2": 0}


# set_traffic: plan → precheck → apply → read back → measure → undo


def test_the_plan_says_from_and_to_and_touches_nothing(house, action):
    change = planned(action, house)

    assert (change.before, change.after, change.words) == (
        {"v1": 1.0, "v2": 0.0},
        {"v1": 0.75, "v2": 0.25},
        "v1 100 % → v1 75 % · v2 25 %",
    )
    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


def test_a_change_is_applied_read_back_and_counted(house, action):
    change = carried_out(action, house, 0.5)
    action.read_back(house.connector, change, "run:ramp")
    effect = action.measure(house.connector, replace(change, hold_s=5.0), "run:ramp")

    assert effect.measured["requests"] >= 600
    assert effect.measured["share"]["v2"] == pytest.approx(0.5, abs=0.05)


def test_a_world_that_moved_stops_the_run_before_it_acts(house, action):
    change = planned(action, house)
    house.connector.set_split(TARGET, {"v1": 0.4, "v2": 0.6}, "somebody else")

    with pytest.raises(WorldMoved, match="now serves v2 60 % · v1 40 %, but the plan was made for v1 100 %"):
        action.precheck(house.connector, change)


@pytest.mark.parametrize("done", [False, True])
def test_a_world_that_stands_before_or_after_the_change_lets_it_go_on(house, action, done):
    change = carried_out(action, house) if done else planned(action, house)

    assert action.precheck(house.connector, change) is None


@pytest.mark.parametrize("house", FORGETFUL, indirect=True)
def test_a_splitter_that_forgot_is_caught_by_reading_back(house, action):
    change = carried_out(action, house)
    house.restart()

    with pytest.raises(ActionFailed, match="was set to v1 75 % · v2 25 %, but the splitter now says v1 100 %"):
        action.read_back(house.connector, change, "run:ramp")


def test_a_splitter_that_restarts_under_the_measurement_fails_the_step(house, action):
    change = carried_out(action, house)
    house.send(50)
    broken = SetTraffic("set_traffic", now=action.now, sleep=lambda seconds: (house.restart(), action.sleep(seconds)))

    with pytest.raises(ActionFailed, match=r"restarted while it was measured|the splitter now says v1 100 %"):
        broken.measure(house.connector, replace(change, hold_s=2.0), "run:ramp")


def test_undo_goes_back_and_reads_that_back(house, action):
    change = carried_out(action, house)
    action.undo(house.connector, change, "run:ramp:undo")

    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}


RESTORE = shelf.read().playbooks["restore"]


@pytest.fixture
def decided(house, action):
    """A room in which it was decided, and set at this splitter, that v2 serves everything."""
    room = Room()
    room.lays(
        platforms={"edge": house.connector},
        actions={"set_traffic": action},
        playbooks={"restore": RESTORE},
        policies={"restore": room.policy},
        expand=shelf.expand,
    )
    room.losing()
    with room.store.write() as unit:
        unit.save_run(a_run(state=RunState.SUCCEEDED, ended_at=room.clock.now(), split={"v1": 0.0, "v2": 1.0}))
    house.connector.set_split(TARGET, {"v2": 1.0}, "run:1")
    return room


def minutes(room, n):
    for _ in range(n):
        room.data.passes(60)
        reconcile(room.desk)
    explain_all(room.desk)


def lose(house):
    """Let the split from before come back: by a restart, or where that forgets nothing, by somebody's editor."""
    house.set_raw({"v1": 100, "v2": 0}) if isinstance(house, TraefikHouse) else house.restart()


@pytest.mark.parametrize("house", [*FORGETFUL, pytest.param("traefik", marks=pytest.mark.slow)], indirect=True)
def test_what_was_decided_and_got_lost_is_found_asked_about_and_put_back(house, decided):
    minutes(decided, 2)
    assert len(decided.incidents()) == 1

    lose(house)
    minutes(decided, 2)
    assert decided.incident(2).title == "delays: 100 % of its traffic is not served as decided"
    assert house.connector.split(TARGET) == {"v1": 1.0, "v2": 0.0}  # nobody was asked yet

    proposal = propose(decided.desk, 2, "restore", {}, by=decided.person("ana"))
    approve(decided.desk, proposal.id, by=decided.person("bo"))
    assert decided.runs(proposal.id)["verdict"] == "healthy"
    assert house.connector.split(TARGET) == {"v1": 0.0, "v2": 1.0}
    assert not decided.incident(2).open
