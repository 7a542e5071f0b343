"""A store on each kind of database."""

from collections.abc import Iterator

import pytest

from bot.store.database import SqlStore, open_store


@pytest.fixture
def store(database_url: str) -> Iterator[SqlStore]:
    opened = open_store(database_url)
    yield opened
    opened.close()
