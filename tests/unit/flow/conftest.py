import pytest

from tests.unit.flow.room import Room


@pytest.fixture
def room():
    return Room()
