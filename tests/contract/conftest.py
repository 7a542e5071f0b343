"""Every kind of store there is, and SageMaker by itself and under real botocore."""

from typing import Any

import pytest

from bot.store.database import open_store
from tests.contract.sagemaker_house import in_memory, under_botocore
from tests.fakes.store import MemoryStore


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        yield MemoryStore()
        return
    opened = open_store(request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url"))
    yield opened
    opened.close()


@pytest.fixture(params=["memory", pytest.param("botocore", marks=pytest.mark.slow)])
def aws(request: pytest.FixtureRequest) -> Any:
    if request.param == "memory":
        yield in_memory()
        return
    with under_botocore() as fake:
        yield fake
