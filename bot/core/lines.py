"""Lines that are measured, not written down: from the reference's own variation, or from a target false-alarm rate."""

from dataclasses import dataclass
from datetime import timedelta

from bot.core.words import duration, number


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """How many false incidents a model may have: `at_most` in `per`, over all its watches, checks and features together."""

    at_most: float = 1.0
    per: timedelta = timedelta(days=30)

    @property
    def words(self) -> str:
        """As written behind a line."""
        return f"at most {number(self.at_most)} false incident{'' if self.at_most == 1 else 's'} in {duration(self.per)}"

    @property
    def a_month(self) -> float:
        """The same as a rate a 30 days."""
        return self.at_most * (timedelta(days=30) / self.per)


@dataclass(frozen=True, slots=True)
class Learn:
    """A line from the reference's own windows: `k` standard deviations from their mean, or what a share `upper` stays within.

    Where it is not `sole`, a fixed line stands beside it and is never gone under.
    """

    source: str = "deviations"
    k: float = 3.0
    upper: float = 0.99
    sole: bool = True

    @property
    def words(self) -> str:
        """As written behind a line."""
        if self.source == "deviations":
            return f"{number(self.k)} standard deviations from the mean of the reference's own windows"
        return f"{number(100 * self.upper)} % of the reference's own windows stay within"


@dataclass(frozen=True, slots=True)
class Line:
    """One measured line, on the check's own scale, and why it is there; only `sole` ones may go under a fixed one."""

    check: str
    subject: str
    value: float
    why: str
    sole: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """The measured lines of one watch: how many windows they were drawn from, the chance of one look, or why there are none."""

    lines: tuple[Line, ...] = ()
    draws: int = 0
    chance: float | None = None
    trouble: str = ""

    def of(self, check: str) -> dict[str, Line]:
        """Return one check's lines by subject."""
        return {line.subject: line for line in self.lines if line.check == check}
