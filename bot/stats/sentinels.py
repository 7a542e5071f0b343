"""Stand-ins for nothing: values that systems write where they have none, and that a model would take for data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.core.profiles import Counts, Floats

NUMBERS = np.array(
    [
        -9_223_372_036_854_775_808.0, -2_147_483_648.0, -1e9, -999_999.0, -99_999.0, -32_768.0, -9_999.0, -999.0, -99.0, -1.0, 0.0,
        99.0, 99.99, 255.0, 999.0, 999.9, 999.99, 9_999.0, 9_999.9, 32_767.0, 65_535.0, 99_999.0, 999_999.0, 9_999_999.0, 1e9,
        2_147_483_647.0, 4_294_967_295.0, 9_223_372_036_854_775_807.0, 1e20, 9.969209968386869e36, 3.4028234663852886e38,
        1.7976931348623157e308,
    ]
)  # fmt: skip
"""Ascending: ends of the machine's number types, rows of nines as in tables and weather records, minus one, zero, fill values."""

PLAIN = np.abs(NUMBERS) < 1_000
"""Numbers that a column may well hold as data, too; but no measure falls to −99 by itself."""
PLAIN[np.isin(NUMBERS, (-999.0, -99.0))] = False

WORDS = (
    "", "-", "--", "---", "?", ".", "*", "null", "(null)", "<null>", "none", "nil", "nan", "na", "<na>", "n/a", "#n/a", "n.a.",
    "nat", "undefined", "unknown", "unk", "missing", "empty", "blank", "void", "not available", "not set", "-1", "-99", "-999",
    "-9999", "999", "9999", "99999", "0000-00-00", "1970-01-01", "9999-12-31",
)  # fmt: skip
SPELLINGS = frozenset(spelled for word in WORDS for spelled in (word, word.upper(), word.capitalize())) | {"NaN", "NaT", " "}

HARDLY = 0.01
"""The share of the reference from which on a plain number is the column's own business."""
OWN_RISE = 2.0
"""A stand-in is a spike: it must rise by more than this multiple of what rises around it. A drift lifts neighbours alike."""


@dataclass(frozen=True, slots=True)
class Spike:
    """One stand-in: as text, in how many rows now and in the reference."""

    name: str
    now: int
    then: int


def spikes(ordered: Floats) -> Counts:
    """Return how many of the sorted values are each of `NUMBERS`, and how many more lie near it; shape (2, k)."""
    with np.errstate(over="ignore"):
        near = np.maximum(1.0, np.abs(NUMBERS) * 0.01)
        around = np.searchsorted(ordered, NUMBERS + near, side="right") - np.searchsorted(ordered, NUMBERS - near, side="left")
    at = np.searchsorted(ordered, NUMBERS, side="right") - np.searchsorted(ordered, NUMBERS, side="left")
    return np.stack([at, around - at]).astype(np.int64)


def words(levels: Sequence[str], counts: Counts) -> dict[str, int]:
    """Return the rows of each word for nothing that is among the levels."""
    return {word: int(counts[levels.index(word)]) for word in sorted(SPELLINGS.intersection(levels))}


def risen(now: tuple[Counts, int], then: tuple[Counts, int]) -> Spike | None:
    """Return the stand-in that has risen most, if any has.

    Args:
        now: what `spikes` counted, and of how many values (not 0).
        then: the same of the reference.
    """
    (at, near), (at_then, near_then) = now[0] / now[1], then[0] / then[1]
    rise = at - at_then
    rise[(rise <= OWN_RISE * (near - near_then)) | (PLAIN & (at_then > HARDLY))] = 0.0
    most = int(rise.argmax())
    if rise[most] <= 0:
        return None
    return Spike(f"{NUMBERS[most]:.10g}", int(now[0][0, most]), int(then[0][0, most]))


def risen_word(now: tuple[Mapping[str, int], int], then: tuple[Mapping[str, int], int]) -> Spike | None:
    """Return the word for nothing that has risen most, if any has; the arguments as in `risen`."""
    rises = {word: rows / now[1] - then[0].get(word, 0) / then[1] for word, rows in now[0].items()}
    most = max(sorted(rises), key=lambda word: rises[word], default=None)
    if most is None or rises[most] <= 0:
        return None
    return Spike(most, now[0][most], then[0].get(most, 0))
