import pytest
from small_slack import Api, small_workspace

from bot.simulator import Simulator
from bot.simulator.workspace import ALL_SCOPES


@pytest.fixture(scope="module")
def slack():
    with Simulator(small_workspace(), ack_timeout_s=0.3) as running:
        yield running


@pytest.fixture(scope="module")
def api(slack):
    client = Api(slack)
    yield client
    client.http.close()


@pytest.fixture
def with_scopes():
    """Start a simulator whose app lacks the given scopes."""
    running = []

    def start(*missing):
        scopes = tuple(scope for scope in ALL_SCOPES if scope not in missing)
        slack = Simulator(small_workspace(scopes=scopes)).start()
        client = Api(slack)
        running.append((slack, client))
        return client

    yield start
    for slack, client in running:
        client.http.close()
        slack.stop()
