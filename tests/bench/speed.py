"""How much dearer than bare reading is a full check? Run: `python -m tests.bench.bench_check [ROWS]`; nothing is asserted here.

CPU seconds (user + system) of one warm process, best of the rounds, as a ratio to pyarrow reading the same columns in the same run.
The goals (facts of the house): 1 M × 30 at most 3 times the read, 10 M × 30 at most 2 times, at most 400 MiB.
"""

import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

from bot import checks
from bot.core.checks import Check
from bot.core.findings import judge
from bot.core.registry import discover
from bot.sources.files import FileSource
from tests.bench import columns

ROUNDS = 3
RUN = ("missing", "schema", "volume", "freshness", "psi", "ks", "chi_square", "performance")


def main(rows: int) -> None:
    """Make the data, run the rounds, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        reference, current = Path(folder, "reference.parquet"), Path(folder, "current.parquet")
        columns.write(reference, rows, drifted=False)
        columns.write(current, rows, drifted=True)
        model, found = columns.a_model(), discover(checks, Check)
        before = FileSource(reference).reading(model, columns.WINDOW)

        def check() -> list[str]:
            now = FileSource(current).reading(model, columns.WINDOW, before.columns)
            findings = [
                f for name in RUN for f in judge(found[name], found[name].measure(before, now), model="m", window=now.window)
            ]
            return [f"{f.check} {f.subject}" for f in findings if f.bad]

        jobs: dict[str, Callable[[], object]] = {
            "pyarrow reads the columns": lambda: pq.read_table(current),
            "a window is profiled": lambda: FileSource(current).reading(model, columns.WINDOW, before.columns),
            "a full check of a window": check,
            "a reference is profiled": lambda: FileSource(reference).reading(model, columns.WINDOW),
        }
        spent: dict[str, list[tuple[float, float]]] = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, job in jobs.items():
                spent[name].append(timed(job))
        show(rows, spent, check())


def timed(job: Callable[[], object]) -> tuple[float, float]:
    """Return CPU and wall seconds of one run."""
    cpu, wall = time.process_time(), time.perf_counter()
    job()
    return time.process_time() - cpu, time.perf_counter() - wall


def show(rows: int, spent: dict[str, list[tuple[float, float]]], alarms: list[str]) -> None:
    """Print the best round of each job, and its ratio to the first."""
    best = {name: tuple(map(min, zip(*rounds, strict=True))) for name, rounds in spent.items()}
    read = next(iter(best.values()))[0]
    table = Table("job", "CPU s", "wall s", "ratio", title=f"{rows:,} rows × 30 columns, best of {ROUNDS}")
    for name, (cpu, wall) in best.items():
        table.add_row(name, f"{cpu:.2f}", f"{wall:.2f}", f"{cpu / read:.1f}")
    console = Console()
    console.print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    console.print(f"alarms: {', '.join(alarms) or 'none'} · peak of the whole run, data made included: {peak:,.0f} MiB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
