"""The failures that the bot must outlive, and what was counted while it did.

`pytest tests/faults -m failure` runs every test that shows one and prints the table at its end; a test says which one it shows with
`@pytest.mark.failure("storm")` and what it counted with the fixture `tally`. All numbers are the tests' own measurements.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

FAILURES: Mapping[str, str] = {
    "storm": "Killed (SIGKILL) ten times and more among fifty and more runs: none lost, each effect once, the record exact",
    "clicks": "Approved, rejected, clicked twice and too late while the bot is dead; eight clicks at the same moment: one decision",
    "way back": "A gate's time runs out while the bot is dead, and a kill inside the way back: everything is put back once",
    "abort": "Aborted, told to go or killed amid a wait that would never end: heard within seconds, put back once",
    "owner": "Of three replicas a run's owner is killed: taken over within two leases, its model free again; one process a name",
    "zombie": "Frozen and woken, or alive and taken for dead: only the step that was at work repeats",
    "schedule": "200 slots, three replicas whose clocks are 3 s apart, random and total outages: none lost, none looked at twice",
    "database": "PostgreSQL torn away amid runs and amid a take-over, SQLite locked, its disk full: nothing lost, and it is said",
    "deploy": "Playbooks change while approvals wait and runs are half done: the old plan is carried out, a changed body is caught",
    "lanes": "Two runs on one model never overlap, though they are killed; other models go on",
    "library": "What we take from the engine's library, at every new version of it",
    "scale": "2,000 models in five minutes, a replica dead; a week leaves no more rows than a day, a year is forgotten amid looks",
}
"""What can go wrong, by the name that tests give it."""

ABSENT = (
    "100,000 models within 60 s on one machine",
    "real network partitions",
    "PostgreSQL's failover to a standby",
    "machines that lose power (processes are killed, not kernels)",
    "Windows and macOS",
    "SQLite on a network file system, which is not supported",
)
"""What no test here shows."""

COLUMNS = ("kills", "runs", "effects", "lost", "doubled", "audit rows")
"""Counts with a column of their own; others follow in words."""

FAILURE, COUNTED, DATABASE = "failure", "counted", "database"
"""Properties of a test's report, which also travel from parallel workers."""


@dataclass(frozen=True)
class Shown:
    """One test that has been run: the failure it shows, on which database, what it counted and whether it held."""

    failure: str
    database: str
    counts: tuple[tuple[str, object], ...]
    verdict: str
    test: str


@dataclass(frozen=True)
class Tally:
    """Keeps what a test counts, by name."""

    counts: dict[str, object]

    def __call__(self, **counts: float | str) -> None:
        self.counts.update({name.replace("_", " "): count for name, count in counts.items()})


def database_of(parameters: Iterable[object]) -> str:
    """Return which database a test's parameters name; empty text where none does."""
    named = [p for p in parameters if p in ("sqlite", "postgresql")]
    return str(named[0]) if named else ""


def balance(expected: Iterable[str], applied: Sequence[str]) -> dict[str, int]:
    """Return how many effects there are, and how many of the expected ones are lost, doubled or nobody's."""
    wanted, found = set(expected), Counter(applied)
    return {
        "effects": len(found),
        "lost": len(wanted - found.keys()),
        "doubled": sum(n - 1 for n in found.values()) + len(found.keys() - wanted),
    }


def table(shown: Iterable[Shown]) -> str:
    """Return what was shown, a line a failure and database; failures that no test showed in this run are named as well."""
    rows = [("failure", "database", *COLUMNS, "verdict", "and"), *_rows(list(shown))]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    right = range(2, 2 + len(COLUMNS))
    aligned = [
        "  ".join(cell.rjust(widths[n]) if n in right else cell.ljust(widths[n]) for n, cell in enumerate(row)).rstrip()
        for row in rows
    ]
    return "\n".join([aligned[0], "-" * min(len(max(aligned, key=len)), 132), *aligned[1:], f"Shown nowhere: {'; '.join(ABSENT)}."])


def _rows(shown: list[Shown]) -> Iterable[tuple[str, ...]]:
    for failure in FAILURES:
        found = [one for one in shown if one.failure == failure]
        if not found:
            yield (failure, "–", *["–"] * len(COLUMNS), "not run", "")
        by_database = defaultdict(list)
        for one in found:
            by_database[one.database or "either"].append(one)
        for database, tests in sorted(by_database.items()):
            yield _row(failure, database, tests)


def _row(failure: str, database: str, tests: Sequence[Shown]) -> tuple[str, ...]:
    sums: Counter[str] = Counter()
    other: dict[str, object] = {}
    for name, count in (pair for test in tests for pair in test.counts):
        if name in COLUMNS:
            sums[name] += int(str(count))
        else:
            other[name] = _worse(other.get(name), count)
    verdicts = Counter(test.verdict for test in tests)
    verdict = f"{verdicts['held']} of {len(tests)} held" if verdicts.keys() != {"held"} else f"held ({len(tests)})"
    told = " · ".join(f"{name} {count}" for name, count in other.items())
    return (failure, database, *(f"{sums[name]:,}" if name in sums else "" for name in COLUMNS), verdict, told)


def _worse(earlier: object, count: object) -> object:
    """Return the larger of two times or numbers: several tests of one failure are told by the worst."""
    if isinstance(earlier, int | float) and isinstance(count, int | float):
        return max(earlier, count)
    return count


class Collector:
    """A plugin: listens to the reports of tests that show a failure, and prints the table when all have ended."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []

    def pytest_runtest_logreport(self, report: Any) -> None:
        told = dict(report.user_properties)
        if FAILURE not in told or (report.when != "call" and report.passed):
            return
        verdict = {"passed": "held", "skipped": "skipped"}.get(report.outcome, "BROKEN")
        self.shown.append(Shown(told[FAILURE], told[DATABASE], tuple(told.get(COUNTED, {}).items()), verdict, report.nodeid))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self.shown:
            terminalreporter.section("failures that were outlived")
            terminalreporter.write_line(table(self.shown))
