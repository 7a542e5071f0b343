"""Recovery needs room to spare where it is asked for; a recorded model says in the digest what would have opened."""

from dataclasses import replace

import pytest

from bot.core.checks import Threshold
from bot.core.findings import Verdict
from bot.core.incidents import State
from bot.core.models import RECORD, Recovery
from bot.flow.recover import proven
from tests.fakes.world import CHECKS
from tests.unit.flow.room import DELAYS
from tests.unit.flow.test_hindsight import GAP


def tuned_room(room, **watch):
    model = replace(DELAYS, watches=(replace(DELAYS.watches[0], **watch),))
    room.model = model
    room.lays(models={model.key: model})
    return room


def states(room):
    return [i.state for i in room.incidents()]


def test_an_incident_closes_only_after_as_many_healthy_windows_as_asked_for(room):
    tuned_room(room, recovery=Recovery(windows=4))
    room.log.missing = 0.9
    room.looks(2)
    room.log.missing = 0.0
    room.looks(3)
    before = states(room)
    room.looks(1)

    assert (before, states(room)) == ([State.OPEN], [State.RESOLVED])


def test_a_value_that_hovers_under_its_line_has_not_recovered(room):
    tuned_room(room, recovery=Recovery(under=0.5))
    room.log.missing = 0.9
    room.looks(2)
    room.log.missing = 0.19
    room.looks(5)
    before = states(room)
    room.log.missing = 0.05
    room.looks(2)

    assert (before, states(room)) == ([State.OPEN], [State.RESOLVED])


@pytest.mark.parametrize(("value", "back"), [(0.55, False), (0.8, True)], ids=["hovering", "back"])
def test_where_below_is_bad_the_lower_line_is_a_higher_one(value, back):
    check = replace(CHECKS["missing"], threshold=Threshold(0.5, 0.2, above=False))
    finding = replace(GAP, check="missing", subject="model", verdict=Verdict.HEALTHY, value=value, threshold=0.5)

    assert proven(check, finding, 0.8) is back


@pytest.mark.parametrize(("value", "back"), [(-0.09, False), (0.09, False), (-0.05, True), (0.05, True)], ids=str)
def test_where_both_sides_are_bad_the_lower_line_is_nearer_to_nothing_on_both(value, back):
    check = replace(CHECKS["missing"], threshold=Threshold(0.1, 0.2, null=0.0, two_sided=True))
    finding = replace(GAP, check="missing", verdict=Verdict.HEALTHY, value=value, threshold=0.1 if value > 0 else -0.1)

    assert proven(check, finding, 0.8) is back


def test_what_has_no_line_is_back_when_it_is_healthy():
    assert proven(None, replace(GAP, verdict=Verdict.HEALTHY))


def recorded(room):
    model = replace(DELAYS, mode=RECORD)
    room.model = model
    room.lays(models={model.key: model})
    return room


def notes(room):
    with room.store.read() as unit:
        return [note.text for note in unit.notes(DELAYS.reference.start)]


def test_a_recorded_model_opens_nothing_and_says_once_what_would_have_opened(room):
    recorded(room)
    room.log.missing = 0.9
    room.looks(5)

    assert states(room) == []
    assert notes(room) == ["would have opened SEV2: delays: broken data in temp (this model is only recorded)."]
    assert not [key for key in room.store.notices if key.startswith("incident")]


def test_what_comes_back_after_a_calm_is_said_again(room):
    recorded(room)
    for missing in (0.9, 0.0, 0.9):
        room.log.missing = missing
        room.looks(3)

    assert len(notes(room)) == 2
