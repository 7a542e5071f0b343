"""A router is known by what it can say of itself."""

from bot.core.routers import router
from tests.fakes.splitter import FakeSplitter


class ByAndBy(FakeSplitter):
    def settling(self, target):
        return f"{target} still moves"


def test_a_splitter_that_takes_its_time_is_a_router():
    by_and_by = ByAndBy()

    assert router(by_and_by) is by_and_by


def test_a_splitter_that_does_at_once_what_it_is_told_is_none():
    assert router(FakeSplitter()) is None
