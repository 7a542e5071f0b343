"""On which databases a test of the faults is run, and when."""

import pytest

POSTGRES_SLOWLY = pytest.mark.parametrize(
    "database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)], indirect=True
)
"""Minutes of a whole bot: on SQLite at every test, on both before a release."""
