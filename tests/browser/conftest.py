"""A real browser in front of a running simulator with a tiny app behind it."""

import pytest
from echo_app import EchoApp
from window import chromium, open_window

from bot.simulator import Person, Simulator
from bot.simulator.workspace import Command, SlackApp, Workspace, default_workspace

ANA, BO = "U00000000AA", "U00000000BB"


@pytest.fixture(scope="session")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def slack():
    home = default_workspace()
    app = SlackApp(commands=(Command("/aiops", "Models in production", "status [model] | incidents | help"),))
    with Simulator(Workspace(home.users, home.channels, app, home.groups), ack_timeout_s=0.5) as running:
        yield running


@pytest.fixture
def echo(slack):
    app = EchoApp(slack)
    yield app
    app.close()


@pytest.fixture
def person(slack):
    met = {}
    yield lambda name: met.setdefault(name, Person(slack, name))
    for somebody in met.values():
        somebody.close()


class Line:
    """The page's live connection, which a test can cut and mend."""

    def __init__(self):
        self._whole = True
        self._open = []

    def join(self, socket):
        if self._whole:
            socket.connect_to_server()
            self._open.append(socket)
        else:
            socket.close()

    def cut(self):
        self._whole = False
        for socket in self._open:
            socket.close()

    def mend(self):
        self._whole = True


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def window(browser):
    """Open a page anywhere as somebody; complaints in its console fail the test."""
    opened = []

    def show(url, **how):
        opened.append(open_window(browser, url, **how))
        return opened[-1]

    yield show
    found = [line for shown in opened for line in shown.complaints]
    for shown in opened:
        shown.page.context.close()
    assert found == []


@pytest.fixture
def screen(window, slack, echo):
    """Open the page of the tiny app's Slack as somebody."""
    return lambda user=BO, place="#/C0000000OPS", **how: window(slack.url, user=user, place=place, **how)
