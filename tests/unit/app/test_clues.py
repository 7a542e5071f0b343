"""The search for clues that the desk is laid with."""

import numpy as np

from bot.app.clues import clues
from bot.core.clues import Clues
from tests.fakes.readings import joint


def rows(seed=0, n=1_000):
    random = np.random.default_rng(seed)
    age, origin = random.uniform(0, 100, n), random.choice(["JFK", "EWR"], n)
    scores = 0.05 + age / 400
    truth = (random.random(n) < scores) ^ ((origin == "JFK") & (random.random(n) < 0.6 * seed))
    return joint({"age": age, "origin": origin.tolist()}, scores=scores, labels=truth.astype(np.float64))


def test_a_window_without_rows_tells_nothing():
    assert clues(rows(), None, True) == Clues()


def test_slices_are_found_with_and_without_a_reference():
    assert clues(rows(), rows(1), False).slices[0].name == "origin = JFK"
    assert clues(None, rows(1), False).slices[0].name == "origin = JFK"


def test_a_surrogate_is_learned_only_where_it_is_asked_for():
    assert clues(rows(), rows(), False).leans == {}
    assert next(iter(clues(rows(), rows(), True).leans)) == "age"


def test_a_score_that_never_changes_teaches_nothing():
    assert clues(None, joint({"age": np.arange(900.0)}, scores=np.full(900, 0.5)), True).leans == {}
