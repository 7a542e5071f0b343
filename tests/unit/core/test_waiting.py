"""A wait ends as soon as somebody who lends an ear raises; without anybody it is a plain sleep."""

import time

import pytest

from bot.core.errors import Aborted
from bot.core.waiting import SLICE_S, heard, pause


def stops():
    raise Aborted("enough")


def test_without_an_ear_a_pause_is_as_long_as_was_asked_for():
    began = time.monotonic()
    pause(0.05)

    assert time.monotonic() - began >= 0.05


def test_an_ear_that_raises_ends_the_pause_at_once():
    with heard(stops), pytest.raises(Aborted):
        pause(3_600)


def test_an_ear_is_asked_all_the_time_and_not_only_at_the_start(monkeypatch):
    monkeypatch.setattr("bot.core.waiting.SLICE_S", 0.01)
    asked = []

    def third_time():
        asked.append(1)
        if len(asked) == 3:
            stops()

    with heard(third_time), pytest.raises(Aborted):
        pause(3_600)
    assert SLICE_S <= 1


def test_even_no_time_at_all_is_heard_so_that_a_hasty_loop_can_be_stopped():
    with heard(stops), pytest.raises(Aborted):
        pause(0)


def test_ears_add_up_and_are_gone_when_their_block_ends():
    asked = []
    with heard(lambda: asked.append("outer")):
        with heard(lambda: asked.append("inner")):
            pause(0)
        pause(0)
    pause(0)

    assert asked == ["outer", "inner", "outer"]
