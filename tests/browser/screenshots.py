"""Take the pictures that the README shows: `python -m tests.browser.screenshots`, or every place of the page with `--all FOLDER`.

The year is played as the demo plays it; each picture is what a person saw at that moment. `--all` takes each of them on a desktop
and on a phone, light and dark, to be looked at before a release; names of looks behind the folder narrow that down.
"""

import io
import re
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from bot.demo import story
from tests.browser.night import ANA, BO, DATA, DIGEST, INCIDENTS, company_at
from tests.browser.window import chromium, open_window

README = Path(__file__).parents[2] / ".readme"
DESK, PHONE = (1440, 900), (390, 844)
LOOKS = {
    f"{size}-{scheme}": (pixels, scheme) for size, pixels in (("desk", DESK), ("phone", PHONE)) for scheme in ("light", "dark")
}
KEPT = {("thread", "desk-light"): "incident-light.png", ("run", "desk-dark"): "approval-dark.png"}
PATIENCE_MS = 45_000
MEASURED = re.compile(r"measured v\d \d+ %")


class Photographer:
    """Plays both people in one window and takes a picture wherever a reader would want to look."""

    def __init__(self, url, browser, folder, looks):
        self.url, self.browser, self.folder, self.looks = url, browser, folder, looks
        self.window = open_window(browser, url, user=ANA, place=INCIDENTS)
        self.root = self.window("messages").get_by_test_id("message").filter(has_text="is losing")

    def takes(self, name, *, user=ANA, place=INCIDENTS, then=lambda _: None):
        """Take one picture in every look that is wanted; `then` brings the fresh page to what is to be seen."""
        for look, (size, scheme) in LOOKS.items():
            if look not in self.looks and (name, look) not in KEPT:
                continue
            shown = open_window(self.browser, self.url, user=user, place=place, size=size, scheme=scheme)
            then(shown)
            shown.page.mouse.move(700, 40)  # off the messages, whose tools appear below the pointer
            shown.page.wait_for_timeout(600)
            photo = shown.page.screenshot()
            shown.page.context.close()
            if look in self.looks:
                (self.folder / f"{name}-{look}.png").write_bytes(photo)
            if (name, look) in KEPT:
                (README / KEPT[name, look]).write_bytes(small(photo))

    def asks(self, command, name, user=ANA):
        """Type a command, wait for the answer, take the picture."""

        def typed(shown):
            shown.says(command)
            answer = shown("messages").get_by_test_id("message").last
            answer.get_by_text("Only visible to you").wait_for(timeout=PATIENCE_MS)

        self.takes(name, user=user, then=typed)

    def looks_around(self):
        self.asks("/aiops status", "quiet")
        self.takes("digest", place=DIGEST)

    def mends(self, number):
        self.root.get_by_text("Roll back to v2").wait_for(timeout=PATIENCE_MS)
        self.root.get_by_test_id("thread-teaser").wait_for(timeout=PATIENCE_MS)
        self.takes("channel")
        self.takes("thread", then=in_thread("evidence"))
        self.window.action("propose").click()
        self.window("modal").get_by_text("Moves traffic to an earlier version").wait_for(timeout=PATIENCE_MS)
        self.takes("modal")
        self.window("modal-submit").click()
        in_thread("end")(self.window)
        self.window.action("approve", "thread-messages").wait_for(timeout=PATIENCE_MS)
        self.takes("home-waiting", user=BO, place="#/home")
        self.takes("card", user=BO, then=in_thread("end"))
        self.approved_by(ANA)
        self.window("thread-messages").get_by_text("someone else has to approve").wait_for(timeout=PATIENCE_MS)
        self.takes("refused", then=in_thread("end"))
        self.window.acts_as(BO)
        self.window.action("approve", "thread-messages").click()
        self.takes("confirm", user=BO, then=confirming)
        self.window("confirm-yes").click()
        self.window("thread-messages").get_by_text(MEASURED).first.wait_for(timeout=PATIENCE_MS)
        self.takes("run", user=BO, then=in_thread("end"))

    def approved_by(self, user):
        self.window.acts_as(user) if user != ANA else None
        self.window.action("approve", "thread-messages").click()
        self.window("confirm-yes").click()

    def looks_back(self):
        self.root.get_by_text("Resolved").wait_for(timeout=PATIENCE_MS)
        self.takes("resolved", user=BO, then=in_thread("end"))
        for verb in ("status", "report", "incidents", "incident 1", "audit", "help"):
            self.asks(f"/aiops {verb}", verb.replace(" ", "-"), user=BO)

    def hears_of_the_feed(self):
        feed = self.window.page.locator('[data-name="data-engineering"]')
        feed.click()
        self.window("messages").get_by_text("neither rollback nor retraining").first.wait_for(timeout=PATIENCE_MS)
        self.takes("feed", user="U0CY", place=DATA)
        self.takes("feed-thread", user="U0CY", place=DATA, then=in_thread("evidence"))
        self.takes("home", user=BO, place="#/home")


def in_thread(where):
    """Return what opens the incident's thread and scrolls to the evidence, or to its end."""

    def opened(shown):
        shown("thread-teaser").last.click(timeout=PATIENCE_MS)
        pane = shown("thread-messages")
        pane.get_by_test_id("message").nth(2 if where == "evidence" else 1).wait_for(timeout=PATIENCE_MS)
        shown.page.wait_for_timeout(400)
        if where == "evidence":
            pane.get_by_test_id("message").nth(1).evaluate("node => node.scrollIntoView({block: 'start'})")
        else:
            pane.evaluate("node => { node.scrollTop = node.scrollHeight; }")

    return opened


def confirming(shown):
    in_thread("end")(shown)
    shown.action("approve", "thread-messages").click()
    shown("confirm-yes").wait_for()


def small(photo):
    """Return the PNG with 255 colours: a third of the size, and no eye sees the difference on a flat page."""
    out = io.BytesIO()
    Image.open(io.BytesIO(photo)).convert("RGB").quantize(255, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return out.getvalue()


def main(arguments):
    folder = Path(arguments[1]) if arguments[:1] == ["--all"] else None
    looks = set(arguments[2:] or LOOKS) if folder else set()
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    README.mkdir(exist_ok=True)
    with ExitStack() as open_:
        home = Path(open_.enter_context(tempfile.TemporaryDirectory(prefix="aiops-pictures-")))
        stage = open_.enter_context(company_at(home, since=story.JULY))
        stage.play_with(Photographer(stage.company.slack.url, open_.enter_context(chromium()), folder, looks))
        story.prologue(stage)
        story.mending(stage, story.autumn(stage))
        story.new_years_eve(stage)
    sys.stdout.write(f"Took {', '.join(KEPT.values())} in {README}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
