"""The one sentence over a comparison."""

import numpy as np
import pyarrow as pa
import pytest

from bot.sources.compare.headline import chance
from tests.unit.sources.two_tables import compared

RNG = np.random.default_rng(31)
X = RNG.normal(size=2_000)
NOBODY = "Nobody can say how y does: too few rows, no values, or new."


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        ({"x": X}, {"x": X}, "Nothing moved: 1 of 1 columns is as the reference."),
        ({}, {}, "Nothing could be compared: the files have no column in common."),
        ({"x": X}, {"x": X[:9]}, "Nobody can say how x does: too few rows, no values, or new."),
        ({"x": X}, {"x": X, "y": X}, f"Nothing moved: 1 of 1 columns is as the reference. {NOBODY}"),
        ({"x": X, "y": X}, {"x": X}, "y cannot be compared: the column is gone."),
        ({"x": X}, {"x": pa.nulls(2_000)}, "x falls silent: 100.0% without a usable value, reference 0.0%."),
    ],
)  # fmt: skip
def test_the_sentence_fits_what_was_found(then, now, said):
    assert compared(then, now)["headline"] == said


def test_what_moved_most_is_named_with_its_size_and_how_sure_that_is():
    told = compared({"x": X, "y": X}, {"x": X + 0.45, "y": X + 3})

    assert told["headline"].startswith("y moved most: ")
    assert told["headline"].endswith("chance does that less than once in a billion. 2 of 2 columns moved.")


def test_beside_what_is_broken_stands_what_moved_most():
    told = compared({"x": X, "y": X}, {"x": X + 3})

    assert told["headline"].startswith("y cannot be compared: the column is gone. Of what can be measured, x moved most: ")


@pytest.mark.parametrize(
    ("p", "words"),
    [(None, ""), (0.0, "; chance does that less than once in a billion"), (0.004, "; chance does that less than once in 100")],
)
def test_chance_is_told_in_words(p, words):
    assert chance(p) == words
