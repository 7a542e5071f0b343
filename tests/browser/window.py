"""A window on the page: a real Chromium, one person's page in it, and what a person does there."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]


@contextmanager
def chromium():
    installed = next(filter(None, map(shutil.which, NAMES)), None)  # else the one that Playwright brought
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=installed, args=SWITCHES)
        yield running
        running.close()


class Screen:
    """One window: the page of a person, and what its console complained about."""

    def __init__(self, page, complaints):
        self.page = page
        self.complaints = complaints

    def __call__(self, testid):
        return self.page.get_by_test_id(testid)

    def action(self, name, pane="messages"):
        return self.page.locator(f'[data-testid="{pane}"] [data-action-id="{name}"]')

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


def open_window(browser, url, *, user, place, size=(1440, 900), scheme="light", line=None):
    """Open the page as somebody, in a browser context of its own; the caller closes `page.context`."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    page = context.new_page()
    page.set_default_timeout(10_000)
    if line is not None:
        page.route_web_socket("**/ui/live*", line.join)
    complaints = []
    page.on("console", lambda m: complaints.append(m.text) if m.type in {"error", "warning"} else None)
    page.on("pageerror", lambda problem: complaints.append(str(problem)))
    page.goto(f"{url}/?user={user}{place}")
    page.wait_for_selector("body.ready")
    return Screen(page, complaints)
