import pandas as pd
import pytest

from bot.demo import experiment, flights


@pytest.fixture(scope="session")
def year() -> pd.DataFrame:
    return flights.flights()


@pytest.fixture(scope="session")
def scored(year: pd.DataFrame) -> pd.DataFrame:
    return experiment.scored(year)
