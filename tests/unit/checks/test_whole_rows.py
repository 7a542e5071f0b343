"""The checks that need whole rows, on rows as odd as data can be: a number or a reason, never a crash."""

import numpy as np
import pytest

from bot.checks.correlation import correlation
from bot.checks.domain_classifier import domain_classifier
from bot.checks.reconstruction import reconstruction
from bot.core.checks import Measurement
from tests.fakes.readings import a_reading

ODD = [0.0, -0.0, 1.0, 1e6, 1e308, -1e308, 5e-324, np.nan, np.inf, -np.inf]
NAMES = ["", "a", "b", None, "<!channel>", "\x00", "é", "NaN"]


def window(seed, n=600):
    """Return rows in which every column is drawn from a few odd values, some of a single one."""
    random = np.random.default_rng(seed)
    columns = {f"x{i}": random.choice(random.choice(ODD, 1 + i), n) for i in range(4)}
    levels = {f"c{i}": [NAMES[j] for j in random.integers(0, 1 + 2 * i, n)] for i in range(3)}
    return a_reading({**columns, **levels, "id": [f"row {seed} {i}" for i in range(n)]})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("check", [domain_classifier, reconstruction, correlation], ids=lambda c: c.name)
@pytest.mark.parametrize("seed", range(4))
def test_odd_rows_give_numbers_or_reasons(check, seed):
    results = list(check.measure(window(seed), window(seed + 10)))

    assert results
    assert all(np.isfinite(m.value) for m in results if isinstance(m, Measurement))
