"""A reference is read from the database once; then it is remembered, as long as there is room."""

from dataclasses import replace

import numpy as np

from bot.core.lines import Lines
from bot.core.profiles import CategoryProfile
from bot.core.readings import Operations, Reading
from bot.core.windows import Window
from bot.flow.memory import Memory, weight
from bot.flow.watch import reference, stored_reference
from tests.fakes.world import MORNING
from tests.unit.flow.room import DAY, DELAYS, Database

HOUR = Window(MORNING - DAY, MORNING)


def reading(rows: int) -> Reading:
    return Reading(HOUR, rows, operations=Operations(rows, 0, np.zeros(rows)))


def test_a_reference_is_read_from_the_database_once(room):
    first = reference(room.desk, DELAYS)
    without_a_database = replace(room.desk, store=Database())

    assert stored_reference(without_a_database, DELAYS) is first
    assert reference(without_a_database, DELAYS) is first


def test_another_process_reads_it_from_the_database_and_remembers_it(room):
    reference(room.desk, DELAYS)
    other = replace(room.desk, memory=Memory())
    second = stored_reference(other, DELAYS)

    assert second is not None
    assert stored_reference(replace(other, store=Database()), DELAYS) is second


def test_nothing_is_remembered_of_a_model_without_a_reference(room):
    assert stored_reference(room.desk, DELAYS) is None


def test_the_one_asked_for_longest_ago_is_forgotten_first():
    memory = Memory(most_bytes=2_000)
    for name in "abc":
        memory.keep((name, ""), reading(100))
        memory.recall(("a", ""))

    assert [name for name in "abc" if memory.recall((name, ""))] == ["a", "c"]


def test_the_same_reference_twice_is_weighed_once():
    memory = Memory(most_bytes=2_000)
    for name in "aaab":
        memory.keep((name, ""), reading(100))

    assert memory.recall(("a", "")) is not None


def test_what_is_larger_than_the_memory_is_not_kept():
    memory = Memory(most_bytes=100)
    given = reading(1_000)

    assert memory.keep(("a", ""), given) is given
    assert memory.recall(("a", "")) is None


def test_arrays_and_levels_weigh():
    assert weight(Reading(HOUR, 1, {"c": CategoryProfile(1, 0, {"a": 1, "b": 1})}, operations=Operations(3, 0, np.zeros(3)))) == 224


def test_lines_of_one_fingerprint_are_remembered_a_watch(room):
    memory, lines = Memory(), Lines(draws=7)
    memory.keep_lines("m", "daily", "f1", lines)
    found = [memory.lines("m", "daily", "f1"), memory.lines("m", "daily", "f2"), memory.lines("m", "hourly", "f1")]

    assert found == [lines, None, None]
