"""How much dearer than bare reading is a full check? `make bench`, or `python -m tests.bench.speed [MILLIONS …]`; it only prints.

Every job runs in a fresh process that is warm before its clock starts: everything is imported and a small window has been checked.
CPU is user + system, best of the rounds, so threads hide nothing. The peak is the whole process's, imports included; the
first line says what these alone take. Ratios are to pyarrow reading the same columns in the same run.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

from bot import checks, starter
from bot.core.checks import Check
from bot.core.findings import Finding
from bot.core.readings import Reading
from bot.core.registry import discover
from bot.sources.files import FileSource
from bot.store.codec import Arrays, dumps, loads, pack, unpack
from bot.thrift import be_thrifty
from tests.bench import columns

ROUNDS = 3
SMALL_ROWS, SMALL_REFERENCE, SMALL_MODELS = 10_000, 100_000, 100
MODEL, FOUND = columns.a_model(), discover(checks, Check)
SMALL = columns.a_small_model()
INPUTS = yaml.safe_load(starter.TEXT)["models"][0]["watches"][0]["checks"]
"""What `aiops init` watches inputs with."""


def stored(folder: Path) -> Reading:
    """Return the reference as the database keeps it."""
    return loads(Reading, (folder / "reference.json").read_text(), unpack((folder / "reference.npz").read_bytes()))


def reads(folder: Path) -> object:
    return pq.read_table(folder / "current.parquet")


def profiles_reference(folder: Path) -> None:
    arrays: Arrays = {}
    made = FileSource(folder / "reference.parquet").reading(MODEL, columns.WINDOW)
    (folder / "reference.json").write_text(dumps(made, arrays))
    (folder / "reference.npz").write_bytes(pack(arrays))


def profiles_window(folder: Path, like: Reading) -> Reading:
    return FileSource(folder / "current.parquet").reading(MODEL, columns.WINDOW, like.distributions)


def checks_window(folder: Path, like: Reading) -> list[Finding]:
    return columns.look(folder / "current.parquet", MODEL, like, FOUND.values())


def exactly(folder: Path) -> object:
    from bot.sources.compare import compare_tables  # noqa: PLC0415 - nobody else's memory

    return compare_tables(folder / "reference.parquet", folder / "current.parquet")


def checks_small(folder: Path, like: Reading, some: Collection[Check]) -> None:
    for _ in range(SMALL_MODELS):
        columns.look(folder / "small.parquet", SMALL, like, some)


def reads_small(folder: Path) -> None:
    for _ in range(SMALL_MODELS):
        pq.read_table(folder / "small.parquet", columns=[f.name for f in SMALL.features])


JOBS: Mapping[str, Callable[[Path], Callable[[], object]]] = {
    "imports alone": lambda _folder: lambda: None,
    "pyarrow reads the columns": lambda folder: lambda: reads(folder),
    "a reference is profiled, once": lambda folder: lambda: profiles_reference(folder),
    "a window is profiled": lambda folder: _with(stored(folder), lambda like: profiles_window(folder, like)),
    "a full check of a window": lambda folder: _with(stored(folder), lambda like: checks_window(folder, like)),
    "exact mode (aiops drift, both files)": lambda folder: lambda: exactly(folder),
}
WHOLE = list(JOBS)
SETS: Mapping[str, Collection[Check]] = {
    "the inputs' watch of `aiops init`": [FOUND[name] for name in INPUTS],
    "all checks but those of whole rows": [check for check in FOUND.values() if SMALL.task not in check.whole_rows],
    "all checks": FOUND.values(),
}


def _of_small(some: Collection[Check]) -> Callable[[Path], Callable[[], object]]:
    return lambda folder: _with(small(folder), lambda like: checks_small(folder, like, some))


SMALL_JOBS = {"pyarrow reads the small models": lambda folder: lambda: reads_small(folder)} | {
    name: _of_small(some) for name, some in SETS.items()
}


def _with(like: Reading, do: Callable[[Reading], object]) -> Callable[[], object]:
    return lambda: do(like)


def small(folder: Path) -> Reading:
    """Return the reference of a small model."""
    return FileSource(folder / "small-reference.parquet").reading(SMALL, columns.WINDOW)


def measured(name: str, folder: Path, rounds: int) -> dict[str, float]:
    """Return CPU and wall seconds of the best round, and the peak of this process in MiB."""
    be_thrifty()
    warm = folder / "warm.parquet"
    like = FileSource(warm).reading(SMALL, columns.WINDOW)
    columns.look(warm, SMALL, like, FOUND.values())
    job, spent = (JOBS | SMALL_JOBS)[name](folder), []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        job()
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    best = [min(side) for side in zip(*spent, strict=True)]
    return {"cpu": best[0], "wall": best[1], "peak": peak_mib()}


def peak_mib() -> float:
    """Return the most memory that this process has held, in MiB.

    Linux's own mark of this program: `ru_maxrss` would also remember the process that started it, which has made the data.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    return float(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) / 1_024


def apart(name: str, folder: Path, rounds: int) -> dict[str, float]:
    """Measure in a process of its own."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.bench.speed", "--job", name, str(folder), str(rounds)], capture_output=True, check=True
    )
    found: dict[str, float] = json.loads(told.stdout)
    return found


def compared(title: str, jobs: list[str], folder: Path, rounds: int) -> None:
    """Run the jobs and print them beside the bare read."""
    from rich.console import Console  # noqa: PLC0415 - not in the processes that are measured
    from rich.table import Table  # noqa: PLC0415

    found = {name: apart(name, folder, 1 if name.startswith("exact") else rounds) for name in jobs}
    read = next(one["cpu"] for name, one in found.items() if name.startswith("pyarrow reads"))
    table = Table("job", "CPU s", "wall s", "ratio of CPU", "peak MiB", title=title)
    for name, one in found.items():
        ratio = "" if name == "imports alone" else f"{one['cpu'] / read:.1f}"
        table.add_row(name, f"{one['cpu']:.2f}", f"{one['wall']:.2f}", ratio, f"{one['peak']:,.0f}")
    Console(width=110).print(table)


def main(millions: list[float]) -> None:
    """Make the data in a temporary folder, print a table a size, forget the data."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        columns.write(folder / "warm.parquet", 1_000, drifted=False)
        columns.write(folder / "small.parquet", SMALL_ROWS, drifted=False)
        columns.write(folder / "small-reference.parquet", SMALL_REFERENCE, drifted=False)
        compared(f"{SMALL_MODELS} models of {SMALL_ROWS:,} rows × {len(SMALL.features)} features", list(SMALL_JOBS), folder, ROUNDS)
        for size in millions:
            rows = int(size * 1_000_000)
            columns.write(folder / "reference.parquet", rows, drifted=False)
            columns.write(folder / "current.parquet", rows, drifted=True)
            heavy = rows > 2_000_000
            jobs = [name for name in WHOLE if not (heavy and name.startswith("exact"))]
            compared(f"{rows:,} rows × 30 columns", jobs, folder, 1 if heavy else ROUNDS)


def told(arguments: Any) -> None:
    """Measure one job and print it as JSON: what `apart` asks of its process."""
    name, folder, rounds = arguments
    print(json.dumps(measured(name, Path(folder), int(rounds))))  # noqa: T201


if __name__ == "__main__":
    if sys.argv[1:2] == ["--job"]:
        told(sys.argv[2:])
    else:
        main([float(size) for size in sys.argv[1:]] or [1.0, 10.0])
