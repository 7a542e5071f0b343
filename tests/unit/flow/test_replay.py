"""Runs outlive releases: what a run of an earlier release has remembered must still fit the body that carries it on.

`python -m tests.unit.flow.test_replay` records new histories. Do that only to add one: a run that is half done while the bot is
deployed asks for exactly the steps that its own release wrote down, and is given up when the body asks for others.
"""

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.flow import decide
from bot.flow.gate import proceed
from tests.fakes.journal import FakeJournal
from tests.unit.flow.room import ROLLBACK, Room

FILE = Path(__file__).parent / "journals.json"
HALF, ALL = ROLLBACK.steps


def mended(**steps):
    room = Room(playbook=replace(ROLLBACK, **steps))
    room.losing()
    room.number = room.approved().id
    room.log.gap = 0.02
    return room


def not_mended():
    room = mended()
    room.log.gap = 0.2
    return room


def refused():
    room = mended(steps=(replace(HALF, retries=2, pause_s=30.0), ALL))
    room.splitter.troubles = ["refuses", "refuses"]
    return room


def gated(*, pressed):
    room = mended(steps=(HALF, replace(ALL, gate="Look at the errors.", gate_s=150.0)))
    room.pressed = pressed
    return room


def aborted():
    room = mended()
    decide.abort(room.desk, room.number, by=room.person("ana"))
    return room


STORIES = {
    "mended": mended,
    "not mended": not_mended,
    "refused twice": refused,
    "gate passed": partial(gated, pressed=True),
    "gate expired": partial(gated, pressed=False),
    "aborted": aborted,
}


def lived(room):
    """Carry the room's run out; a gate is passed at the second look, where somebody presses."""
    journal = room.journal(room.number)
    passes = journal.passes

    def pressing(seconds):
        if getattr(room, "pressed", False) and room.run(room.number).gate:
            proceed(room.desk, f"{room.number}:{room.run(room.number).gate}", by=room.person("bo"))
        passes(seconds)

    journal.passes = pressing
    room.runs(room.number, journal)
    return journal.memory


@pytest.mark.failure("deploy")
@pytest.mark.parametrize("story", list(STORIES))
def test_a_run_that_an_earlier_release_began_finds_the_steps_that_it_wrote_down(story):
    written = [tuple(entry) for entry in json.loads(FILE.read_text("utf-8"))[story]]
    room = STORIES[story]()
    journal = FakeJournal(id=f"{decide.RUN}:{room.number}", memory=list(written))
    room.runs(room.number, journal)

    assert (journal.memory, journal.done, journal.slept) == (written, [], [])


def test_every_story_takes_a_road_of_its_own():
    roads = {tuple(name for name, _ in memory) for memory in json.loads(FILE.read_text("utf-8")).values()}

    assert len(roads) == len(STORIES)


def test_a_body_of_other_steps_is_noticed():
    written = json.loads(FILE.read_text("utf-8"))["mended"]
    room = mended()
    journal = FakeJournal(id="pb:1", memory=[("another step", "{}"), *map(tuple, written)])

    with pytest.raises(AssertionError, match="was 'another step' in an earlier life"):
        room.runs(room.number, journal)


if __name__ == "__main__":
    kept = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    fresh = {story: lived(make()) for story, make in STORIES.items() if story not in kept}
    FILE.write_text(json.dumps(kept | fresh, indent=1) + "\n", "utf-8")
