"""The year of flights and the versions trained on it: made once for the whole run, however many workers it has."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from bot.demo import experiment, flights
from bot.demo.models import prepare


@pytest.fixture(scope="session")
def year() -> pd.DataFrame:
    return flights.flights()


@pytest.fixture(scope="session")
def models_folder(year: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with shared(tmp_path_factory, "models") as folder:
        prepare(folder, year)
    return folder


@pytest.fixture(scope="session")
def scored(year: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    with shared(tmp_path_factory, "scored") as folder:
        kept = folder / "scored.parquet"
        if not kept.exists():
            experiment.scored(year).to_parquet(kept)
        return pd.read_parquet(kept)


@contextmanager
def shared(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder of the whole run, for one worker at a time."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / f"shared-{name}"
    folder.mkdir(exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
