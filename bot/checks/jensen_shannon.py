"""Jensen–Shannon: how far are the shares of a column's bins or levels from the reference's?"""

from collections.abc import Iterator

from bot.checks.recipes import OF_SHARES, shares_moved
from bot.core.checks import Family, Measured, check
from bot.core.readings import Reading
from bot.stats import binned


@check("jensen_shannon", family=Family.DRIFT, unit="", threshold=OF_SHARES, label="Jensen–Shannon")
def jensen_shannon(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The Jensen–Shannon distance (base 2) on the reference's deciles or levels, 0 to 1; judged by what chance does not explain."""
    return shares_moved(binned.jensen_shannon, reference, current)
