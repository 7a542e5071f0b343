"""Every kind of store there is."""

from typing import Any

import pytest

from bot.store.database import open_store
from tests.fakes.store import MemoryStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = open_store(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
    yield opened
    opened.close()
