"""One night at the page: a real Envoy, the real bot, and two people in a real browser who mend what it found."""

import re

import pytest
from playwright.sync_api import expect

from tests.faults.edge import TARGET, Edge
from tests.faults.house import House
from tests.faults.papers import PLACE

pytestmark = pytest.mark.browser
ANA, BO = "U0ANA", "U0BO"
SOON, LATER = 15_000, 45_000


@pytest.fixture
def house(sqlite_url, tmp_path):
    edge = Edge(tmp_path)
    with House(tmp_path, sqlite_url, edge) as house:
        yield house
    edge.close()


class TwoPeople:
    """Ana proposes and may not approve; Bo approves. All of it with mouse and keyboard, in one window."""

    def __init__(self, window):
        self.window = window
        self.incident = window("messages").get_by_test_id("message").filter(has_text="is losing")
        self.thread = window("thread-messages")

    def asks(self, command):
        self.window.says(command)
        return self.window("messages").get_by_test_id("message").last

    def mends(self, number):
        expect(self.incident).to_contain_text(f"Incident #{number}", timeout=LATER)
        self.reads_the_evidence()
        self.proposes()
        self.may_not_approve()
        self.lets_bo_approve()

    def reads_the_evidence(self):
        self.incident.get_by_test_id("thread-teaser").click(timeout=LATER)
        expect(self.thread).to_contain_text("Every version on the same 500 rows", timeout=SOON)
        expect(self.thread).to_contain_text("Roll back to v2")
        picture = self.thread.locator("img[alt^='Chart']")
        expect(picture).to_have_js_property("complete", True, timeout=SOON)
        assert picture.evaluate("image => image.naturalWidth") > 1_000

    def proposes(self):
        self.window.action("propose").click()
        modal = self.window("modal")
        expect(modal).to_contain_text("Sends traffic to an earlier version", timeout=SOON)
        expect(modal.locator("option:checked")).to_contain_text("v2")
        self.window("modal-submit").click()
        expect(modal).to_be_hidden()
        expect(self.thread).to_contain_text("Approval needed", timeout=SOON)

    def approves(self):
        self.window.action("approve", "thread-messages").click()
        expect(self.window("confirm")).to_contain_text("Approve this plan?")
        self.window("confirm-yes").click()

    def may_not_approve(self):
        self.approves()
        expect(self.thread).to_contain_text("You proposed this; someone else has to approve it.", timeout=SOON)

    def lets_bo_approve(self):
        self.window.acts_as(BO)
        expect(self.window("act-as")).to_contain_text("bo")
        self.approves()
        expect(self.thread).to_contain_text("Approved", timeout=SOON)
        expect(self.thread).to_contain_text(re.compile(r"measured v3 \d+ % · v2 \d+ %"), timeout=LATER)

    def looks_back(self):
        expect(self.incident).to_contain_text("Resolved", timeout=SOON)


def test_two_people_mend_a_losing_model_at_the_page(window, house):
    house.starts()
    people = TwoPeople(window(house.slack.url, user=ANA, place=f"#/{PLACE}"))
    house.loses()
    people.mends(1)
    house.until("the run has applied its steps", lambda: house.audited("run.applied"))
    house.is_judged()
    people.looks_back()

    expect(people.asks("/aiops status")).to_contain_text(TARGET, timeout=SOON)
    expect(people.incident.locator("[data-action-id]")).to_have_count(0)
    assert [run.state.value for run in house.runs] == ["succeeded"]
    house.invariants()
