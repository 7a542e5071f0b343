"""A flag before the model, as people live through it: the real bot, the simulated Slack, a real Unleash, an application of its SDK.

Half a minute each, most of which is looking whether the application follows, so `make test-all` plays them.
"""

import pytest
import yaml

from bot import shelf
from bot.core.incidents import State
from bot.core.runs import RunState
from tests.contract import unleash_server
from tests.contract.unleash_server import ADMIN, Real
from tests.faults.edge import TARGET, Edge
from tests.faults.house import House
from tests.story.test_remedies import is_mended, offers, rewrites

pytestmark = pytest.mark.slow
EVERYBODY = {"name": "flexibleRollout", "parameters": {"rollout": "100", "stickiness": "default", "groupId": "g"}}


@pytest.fixture(scope="module")
def unleash(tmp_path_factory, postgres):
    with unleash_server.running(tmp_path_factory.mktemp("unleash"), postgres) as url:
        yield Real(url)


@pytest.fixture
def flag(unleash):
    return unleash.makes(EVERYBODY, on=True)


@pytest.fixture
def house(sqlite_url, tmp_path, unleash, flag):
    """The small company, which has put a flag before its model and looks for 20 s whether applications follow."""
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        offers(house, "feature_toggle")
        rewrites(house, "losing")
        told = yaml.safe_load(house.config.read_text())
        place = {"token": ADMIN, "environment": "production", "flags": {TARGET: {"flag": flag}}}
        (tmp_path / "token").write_text(place["token"])
        told["platforms"]["flags"] = {"kind": "unleash", "url": unleash.url, **place, "token": f"${{file:{tmp_path / 'token'}}}"}
        told["models"][0]["connectors"] = {"flags": "flags"}
        house.config.write_text(yaml.safe_dump(told, sort_keys=False))
        mine = (shelf.packaged() / "feature_toggle.yaml").read_text().replace("hold: 3m", "hold: 20s")
        (house.folder / "playbooks" / "feature_toggle.yaml").write_text(mine)
        yield house
    edge.close()


def stands(unleash, flag):
    return unleash.asks(unleash.place(flag), method="GET").json()["enabled"]


def reports(unleash, flag):
    """Wait until the application has reported."""
    unleash.wait_for(flag, lambda rows: any(row["yes"] for row in rows))


def switches(unleash, flag):
    """What was switched, oldest first, as Unleash itself has written it down: its events are the proof of each effect."""
    events = unleash.asks(f"/api/admin/events/{flag}", method="GET").json()["events"]
    return [event["type"].rpartition("-")[2] for event in reversed(events) if event["type"].startswith("feature-environment-")]


def test_a_flag_is_switched_off_its_application_follows_and_fresh_data_say_that_it_helped(house, unleash, flag):
    with unleash_server.application(unleash.url, flag, house.folder), house.lives():
        reports(unleash, flag)
        house.loses()
        house.asked("Switch the feature flag", "Roll back to")("bo")()
        is_mended(house)
        thread = house.slack.transcript("C000INCIDENT")

        assert f"{flag} in production: on for everybody → off" in thread
        assert "applications were answered 'off'" in thread
        assert (stands(unleash, flag), switches(unleash, flag)) == (False, ["enabled", "disabled"])
        house.invariants()


def test_an_application_that_never_hears_of_it_is_found_out_and_the_flag_is_put_back(house, unleash, flag):
    with unleash_server.application(unleash.url, flag, house.folder, deaf=True), house.lives():
        reports(unleash, flag)
        house.loses()
        house.asked("Switch the feature flag", "Roll back to")("bo")()
        house.until("the run is over", lambda: house.is_over, within=60)
        (run,) = house.runs

        assert run.state is RunState.COMPENSATED
        assert "is off, but churn-server report only 'on'" in run.outcome
        assert (stands(unleash, flag), switches(unleash, flag)) == (True, ["enabled", "disabled", "enabled"])
        assert [one.state for one in house.incidents] != [State.RESOLVED]
        house.invariants()
