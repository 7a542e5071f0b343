"""Total variation: which share of a column's rows would have to change their bin or level?"""

from collections.abc import Iterator

from bot.checks.recipes import OF_SHARES, shares_moved
from bot.core.checks import Family, Measured, check
from bot.core.readings import Reading
from bot.stats import binned


@check("total_variation", family=Family.DRIFT, unit="", threshold=OF_SHARES, label="total variation")
def total_variation(reference: Reading, current: Reading) -> Iterator[Measured]:
    """The total variation distance on the reference's deciles or levels, 0 to 1; judged by what chance does not explain."""
    return shares_moved(binned.total_variation, reference, current)
