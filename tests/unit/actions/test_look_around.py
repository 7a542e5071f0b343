"""Looking around only reads: it takes no parameters, and there is nothing to go back to."""

import pytest

import bot.actions
from bot.actions.look_around import look_around
from bot.core.actions import Action
from bot.core.errors import ActionFailed, ConfigError
from bot.core.registry import discover


class Scout:
    """Sees what it is told to see."""

    name = "aiops-bot"

    def __init__(self):
        self.written = {}

    def look_around(self, key):
        self.written.setdefault(key, "2 critical")

    def seen(self, key):
        return self.written.get(key, "")


def planned(**parameters):
    return look_around.plan(Scout(), "delays", parameters, step="look", before=None)


def test_it_is_found_by_its_name_and_says_that_it_touches_nothing():
    assert discover(bot.actions, Action)["look_around"] is look_around
    assert planned().words == "look around at delays and write it into the thread"
    assert look_around.blast([planned()]) == "only reads: nothing is touched"


def test_it_takes_no_parameters():
    with pytest.raises(ConfigError, match="look_around takes no parameters"):
        planned(at="v2")


def test_what_was_written_is_its_effect_and_what_was_not_has_failed():
    scout, change = Scout(), planned()
    look_around.precheck(scout, change)
    with pytest.raises(ActionFailed, match="nothing was written into the thread"):
        look_around.read_back(scout, change, "run:look")
    look_around.apply(scout, change, "run:look")
    look_around.read_back(scout, change, "run:look")

    assert look_around.measure(scout, change, "run:look").words == "2 critical"


def test_there_is_nothing_to_go_back_to():
    assert look_around.undo(Scout(), planned(), "run:look") == "It only read; what it wrote stays in the thread."
