"""A real browser in front of a running simulator with a tiny app behind it."""

import shutil

import pytest
from echo_app import EchoApp
from playwright.sync_api import sync_playwright

from bot.simulator import Person, Simulator
from bot.simulator.workspace import Command, SlackApp, Workspace, default_workspace

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ANA, BO = "U00000000AA", "U00000000BB"


@pytest.fixture(scope="session")
def browser():
    installed = next(filter(None, map(shutil.which, NAMES)), None)  # else the one that Playwright brought
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=installed, args=SWITCHES)
        yield running
        running.close()


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


class Screen:
    """One window: the page of a person, and what its console complained about."""

    def __init__(self, page, complaints):
        self.page = page
        self.complaints = complaints

    def __call__(self, testid):
        return self.page.get_by_test_id(testid)

    def action(self, name):
        return self.page.locator(f'[data-testid="messages"] [data-action-id="{name}"]')

    def says(self, text, composer="composer"):
        self(composer).fill(text)
        self(composer).press("Enter")

    def acts_as(self, user):
        self("act-as").click()
        self(f"act-as-{user}").click()

    @property
    def sideways(self):
        """How many pixels the page can be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth - innerWidth")


@pytest.fixture
def line():
    return Line()


@pytest.fixture
def screen(browser, slack, echo):
    """Open the page as somebody; complaints in the console fail the test."""
    opened = []

    def show(user=BO, size=(1440, 900), place="#/C0000000OPS", scheme="light", line=None):
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if line is not None:
            page.route_web_socket("**/ui/live*", line.join)
        complaints = []
        page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
        page.on("pageerror", lambda problem: complaints.append(str(problem)))
        page.goto(f"{slack.url}/?user={user}{place}")
        page.wait_for_selector("body.ready")
        opened.append((context, complaints))
        return Screen(page, complaints)

    yield show
    found = [line for _, complaints in opened for line in complaints]
    for context, _ in opened:
        context.close()
    assert found == []
