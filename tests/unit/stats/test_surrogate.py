"""A surrogate finds the inputs that the score hangs on, and says when it cannot."""

import numpy as np
import pytest

from bot.stats.surrogate import surrogate
from tests.fakes.readings import joint


def scored(n=1_000, seed=0, noise=0.0, **changes):
    random = np.random.default_rng(seed)
    columns = {"big": random.normal(size=n), "small": random.normal(size=n), "none": random.normal(size=n)}
    columns["kind"] = random.choice(["a", "b"], n).tolist()
    logit = 2 * columns["big"] + 0.7 * columns["small"] + np.where(np.array(columns["kind"]) == "a", 0.0, 1.0)
    scores = 1 / (1 + np.exp(-logit)) + noise * random.normal(size=n)
    return joint(columns, **{"scores": scores, **changes})


def test_the_inputs_that_the_score_hangs_on_are_found_in_their_order():
    found = surrogate(scored())

    assert found.fit > 0.9
    assert next(iter(found.shares)) == "big"
    assert set(list(found.shares)[:3]) == {"big", "small", "kind"}
    assert found.shares["none"] < 0.01
    assert sum(found.shares.values()) == pytest.approx(1)


def test_a_score_that_hangs_on_something_else_is_not_explained():
    assert surrogate(scored(noise=2.0)).fit < 0.5


@pytest.mark.parametrize(
    "rows",
    [scored(200), scored(scores=np.full(1_000, 0.5)), scored(scores=np.full(1_000, np.nan)), joint({}, scores=np.arange(0.0))],
)
def test_where_there_is_nothing_to_learn_from_it_says_so(rows):
    assert surrogate(rows) is None


def test_the_same_rows_say_the_same_twice():
    assert surrogate(scored()) == surrogate(scored())
