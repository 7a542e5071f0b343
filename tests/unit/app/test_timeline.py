"""The backtest's picture: drawn from whatever a replay leaves, with hostile names in it."""

from dataclasses import replace

import pytest

from bot.app.timeline import critical_line, draw
from bot.core.findings import Verdict
from bot.core.incidents import Note, State
from bot.core.windows import Window
from bot.flow.hindsight import Seen
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS
from tests.unit.flow.test_hindsight import GAP, event, opened, played

DAILY = DELAYS.watches[0]


def seen(day, finding=GAP):
    return Seen(MORNING + day * DAY, DAILY, finding)


def test_metric_incidents_events_and_digest_are_one_picture():
    note = Note("delays", "production", MORNING + 9 * DAY, Window.ending(MORNING, DAY), "temp moved")
    closed = opened(1, 3, state=State.RESOLVED, resolved_at=MORNING + 9 * DAY)
    history = replace(played(closed, opened(2, 58), notes=[note]), seen=[seen(day) for day in range(60)])

    assert draw(history, [event(2), event(55, 30)]).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "findings",
    [[], [replace(GAP, value=None)], [replace(GAP, interval=None, label="$\\frac{")]],
    ids=["none", "no value", "hostile"],
)
def test_whatever_was_measured_there_is_a_picture(findings):
    history = replace(played(), seen=[seen(day, f) for day, f in enumerate(findings)])

    assert draw(history).startswith(b"\x89PNG")


def test_the_line_is_the_one_that_was_crossed():
    warned = replace(GAP, verdict=Verdict.HEALTHY, threshold=0.05)

    assert critical_line([warned, GAP, warned]) == 0.10
    assert critical_line([warned]) == 0.05
    assert critical_line([replace(warned, threshold=None)]) is None
