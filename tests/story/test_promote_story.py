"""An alias that says what is served, as people live through it: the real bot, Slack, a real MLflow and its model server.

The server goes on with the version that it started with until the company's operator restarts it, and an operator who only says
that he did is found out. Half a minute each besides the start of MLflow, so `make test-all` plays them.
"""

import sqlite3
import sys
from contextlib import ExitStack, closing

import httpx
import pytest
import yaml

from bot import shelf
from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import mlflow_server
from tests.contract.test_mlflow import ASK
from tests.fakes.loopback import serving
from tests.faults.edge import EARLIER, SERVING, TARGET, Edge
from tests.faults.house import House
from tests.faults.papers import PLACE
from tests.story.test_remedies import is_mended, offers, rewrites

pytestmark = pytest.mark.slow
TOKEN = "registry-5b20-not-for-slack"
ALIAS = "/api/2.0/mlflow/registered-models/alias"
OPERATOR = """
import sys, urllib.request
urllib.request.urlopen(sys.argv[1], timeout=120)
print("restarted for version", sys.argv[2])
"""


class Company(mlflow_server.Real):
    """MLflow behind a door that writes down where the alias was really moved, and an operator who may only say that he restarts."""

    def __init__(self, stack, folder):
        super().__init__(stack, folder)
        self.begin()
        self.door = stack.enter_context(serving(self._passes))
        self.operator = stack.enter_context(serving(self._restarted))

    def begin(self):
        """Begin with version 2 named and served, an honest operator and an empty record."""
        self.moves, self.orders, self.honest = [], 0, True
        if self.named() != "2" or self.answered() != "2":
            self.names("2")
            self.restart()

    def named(self):
        """Return the version that the registry's alias names."""
        asked = {"name": "late-arrivals", "alias": "champion"}
        return httpx.get(self.registry + ALIAS, params=asked, trust_env=False).json()["model_version"]["version"]

    def names(self, version):
        body = {"name": "late-arrivals", "alias": "champion", "version": version}
        httpx.post(self.registry + ALIAS, json=body, trust_env=False).raise_for_status()

    def answered(self):
        """Return the version that people are served by."""
        return httpx.post(f"{self.server}/invocations", json=ASK, trust_env=False).json()["predictions"][0]["version"]

    def _passes(self, method, path, query, body, headers):
        assert headers["authorization"] == f"Bearer {TOKEN}"
        if method == "POST":
            self.moves.append(body["version"])
        said = httpx.request(method, self.registry + path, params=query, json=body, trust_env=False, timeout=20)
        return said.status_code, said.content, {"content-type": said.headers["content-type"]}

    def _restarted(self, *_):
        self.orders += 1
        if self.honest:
            self.restart()
        return 200, {}


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    with ExitStack() as stack:
        yield Company(stack, tmp_path_factory.mktemp("mlflow"))


@pytest.fixture
def mlflow(started):
    started.begin()
    return started


@pytest.fixture
def house(sqlite_url, tmp_path, mlflow):
    """The small company, whose model is served as MLflow's alias says: version 2 loses, 3 would be honest."""
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        offers(house, "promote")
        rewrites(house, "losing")
        renumbers(house)
        house.secrets["the registry's token"] = TOKEN
        (tmp_path / "token").write_text(TOKEN)
        told = yaml.safe_load(house.config.read_text())
        served = {"url": f"{mlflow.server}/invocations", "ask": ASK, "pointer": "/predictions/0/version"}
        place = {"models": {TARGET: {"registered": "late-arrivals", "served": served}}, "token": f"${{file:{tmp_path / 'token'}}}"}
        told["platforms"]["registry"] = {"kind": "mlflow", "url": mlflow.door, "timeout": 20.0, **place}
        (tmp_path / "restart.py").write_text(OPERATOR)
        restart = {"run": [sys.executable, "restart.py", mlflow.operator, "{version}"], "folder": str(tmp_path)}
        told["platforms"]["nightly"]["jobs"] = {"restart": restart}
        told["models"][0] |= {"serving": "registry", "connectors": {"operator": "nightly"}}
        del told["models"][0]["scorer"]  # MLflow's server answers for one version only
        house.config.write_text(yaml.safe_dump(told, sort_keys=False))
        yield house
    edge.close()


def renumbers(house):
    """Call the versions in the log as MLflow does."""
    with closing(sqlite3.connect(house.folder / "log.db")) as log, log:
        log.executemany("UPDATE log SET version = ? WHERE version = ?", [("2", SERVING), ("3", EARLIER)])


def looks_for_only(house, hold):
    """Let the packaged playbook look for so long whether the server answers with the new version; two minutes as it comes."""
    packaged = (shelf.packaged() / "promote.yaml").read_text()
    assert "hold: 2m" in packaged
    (house.folder / "playbooks" / "promote.yaml").write_text(packaged.replace("hold: 2m", f"hold: {hold}"))


def test_the_alias_moves_the_operator_restarts_and_what_the_server_answers_has_mended(house, mlflow):
    house.starts()
    house.loses()
    house.asked("Moves the registry's alias", "calibration", **{"Version to serve": "3"})("bo")()
    is_mended(house)
    thread = house.slack.transcript(PLACE)

    assert "the server answers with 3" in thread
    assert (mlflow.moves, mlflow.orders, mlflow.answered()) == (["3"], 1, "3")
    house.invariants()


def test_an_alias_that_moved_while_the_old_version_is_still_served_is_found_out_and_put_back(house, mlflow):
    looks_for_only(house, "3s")
    mlflow.honest = False
    house.starts()
    house.loses()
    house.asked("Moves the registry's alias", "calibration", **{"Version to serve": "3"})("bo")()
    house.until("the run is over", lambda: house.is_over, within=60)
    house.until("Slack says so", house.is_level)
    thread = house.slack.transcript(PLACE)

    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert "names 3, but its server still answers with 2; it has to be restarted" in thread
    assert "The alias was put back and read back; the server answers as before" in thread
    assert (mlflow.named(), mlflow.answered(), mlflow.orders) == ("2", "2", 1)
    assert mlflow.moves == ["3", "2"]
    assert [one.state for one in house.incidents] == [State.ACKNOWLEDGED]
    house.invariants()


def test_a_promotion_that_is_aborted_after_its_restart_is_back_only_when_the_server_has_restarted_once_more(house, mlflow):
    house.starts()
    house.loses()
    house.asked("Moves the registry's alias", "calibration", **{"Version to serve": "3"})("bo")()
    house.until("the run waits for fresh data", lambda: house.audited("run.applied"), within=60)
    served = mlflow.answered()
    house.finger("ana", "Abort")()
    house.until("the run is over", lambda: house.is_over, within=60)
    house.until("Slack says so", house.is_level)
    thread = house.slack.transcript(PLACE)

    assert [run.state for run in house.runs] == [RunState.COMPENSATED]
    assert "If it goes back, once more:" in thread
    assert "'restart' was carried out once more: restarted for version 2." in thread
    assert "the server answers as before" in thread
    assert (served, mlflow.named(), mlflow.answered()) == ("3", "2", "2")
    assert (mlflow.moves, mlflow.orders) == (["3", "2"], 2)
    house.invariants()
