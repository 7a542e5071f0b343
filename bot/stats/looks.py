"""How sure one look must be, so that many looks together are seldom wrong.

Windows overlap: looking every five minutes at the last day is not 288 independent looks a day, and not one either. An incident
opens at a bad look, and again only after `n` healthy ones, so no more open than there are bad looks whose `n`-th predecessor was
fine. A mean over a sliding window has a correlation that falls linearly to nothing over the window's length; for a Gaussian one the
chance of that pair is an integral over one normal density. So the count is an upper bound, nearly exact where `n` is 1, between one
a window and one a look. Statistics are standardised measures; the chance of one look is taken as if they were Gaussian.
"""

import math

import numpy as np
from scipy import special

LEAST, MOST = 1e-9, 0.5
REACH, POINTS = 9.0, 4_000


def fresh(chance: float, correlation: float) -> float:
    """Return the chance that an earlier look was fine, given that this one is bad: 1 − chance (independent) to 0 (the same look).

    Args:
        chance: of one look to be bad, 0 to 0.5.
        correlation: between the two looks' statistics, 0 to 1.
    """
    if correlation >= 1:
        return 0.0
    line = float(-special.ndtri(chance))
    beyond = np.linspace(line, line + REACH, POINTS)
    density = np.exp(-(beyond**2 - line**2) / 2)  # scaled, so that far tails do not vanish
    fine = special.ndtr((line - correlation * beyond) / math.sqrt(1 - correlation**2))
    return float(np.trapezoid(density * fine, beyond) / np.trapezoid(density, beyond))


def looks_a_window(chance: float, step: float, calm: int = 1, measures: int = 1) -> float:
    """Return how many independent looks the looks of one window's length are worth.

    Args:
        chance: of one look to be bad by any of the measures, each with its share of it on two sides, 0 to 0.5.
        step: time between two looks as a share of the window, above 0.
        calm: how many healthy looks in a row end an incident.
        measures: how many measures share the chance.
    """
    return fresh(chance / (2 * measures), max(0.0, 1 - calm * step)) / step


def false_incidents(chance: float, windows: float, step: float, persist: tuple[int, int], measures: int = 1) -> float:
    """Return how many false incidents to expect at most in a time of so many windows' lengths.

    Of the `k` of `n` bad looks that persistence asks for, only those whose windows share no row say something new.
    """
    k, n = persist
    new = 1 + math.floor((k - 1) * min(step, 1.0))
    ways = math.comb(n - 1, k - 1) if new > 1 else 1
    return float(windows * looks_a_window(chance, step, n, measures) * ways * chance**new)


def chance_a_look(wanted: float, windows: float, step: float, persist: tuple[int, int] = (1, 1), measures: int = 1) -> float:
    """Return the largest chance of one look, at most 0.5, with which no more false incidents than `wanted` are expected."""

    def expected(chance: float) -> float:
        return false_incidents(chance, windows, step, persist, measures)

    if expected(MOST) <= wanted:
        return MOST
    low, high = math.log(LEAST), math.log(MOST)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(math.exp(middle)) <= wanted else (low, middle)
    return math.exp(low)
