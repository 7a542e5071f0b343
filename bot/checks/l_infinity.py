"""L∞: how much has the share of one bin or level of a column changed at most?"""

from collections.abc import Iterator

from bot.checks.recipes import OF_SHARES, shares_moved
from bot.core.checks import Family, Measured, check
from bot.core.readings import Reading
from bot.stats import binned


@check("l_infinity", family=Family.DRIFT, unit="", threshold=OF_SHARES, label="L∞")
def l_infinity(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The largest change of one share among the reference's deciles or levels, 0 to 1."""
    return shares_moved(binned.l_infinity, reference, current)
