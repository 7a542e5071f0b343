"""Every failure that the README names is shown by tests, and on both databases."""

import pytest

from tests.faults.failures import FAILURES
from tests.house import failures
from tests.house.house import ROOT


def test_every_mark_names_a_failure():
    assert {showing.failure for showing in failures.showings()} <= set(FAILURES)


@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_is_shown_on_both_databases(failure):
    assert {database for showing in failures.of(failure) for database in showing.databases} == set(failures.BOTH)


def test_marks_are_read_from_tests_and_from_whole_files():
    text = """
pytestmark = pytest.mark.failure("library")
@pytest.mark.failure("storm", database="sqlite")
def test_one(engine_url): ...
def test_two(office): ...
def test_three(): ...
"""
    told = [(s.failure, s.test, s.databases) for s in failures.marked(ROOT / "tests" / "test_x.py", text)]

    assert told == [
        ("library", "test_one", failures.BOTH),
        ("storm", "test_one", ("sqlite",)),
        ("library", "test_two", failures.BOTH),
        ("library", "test_three", ()),
    ]
