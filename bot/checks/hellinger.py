"""Hellinger: how far are the roots of a column's shares from the reference's?"""

from collections.abc import Iterator

from bot.checks.recipes import OF_SHARES, shares_moved
from bot.core.checks import Family, Measured, check
from bot.core.readings import Reading
from bot.stats import binned


@check("hellinger", family=Family.DRIFT, unit="", threshold=OF_SHARES, label="Hellinger")
def hellinger(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The Hellinger distance on the reference's deciles or levels, 0 to 1; judged by what chance does not explain."""
    return shares_moved(binned.hellinger, reference, current)
