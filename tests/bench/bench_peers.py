"""How much dearer than bare reading are the peers, and we? `python -m tests.bench.bench_peers [ROWS] [PEER…]`; asserts nothing.

CPU seconds on the benchmark's columns (`tests.bench.columns`) as a ratio to pyarrow reading the same columns in the same run.
Evidently does not end with the column of 100,000 levels, so it is spared it (and so is its read); nobody else is.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq
from rich.console import Console

from bot import checks
from bot.core.checks import Check
from bot.core.registry import discover
from bot.sources.files import FileSource
from tests.bench import columns, peers
from tests.house.tables import table

SAYS = Path(__file__).with_name("speed_says.py")
LEFT_OUT = {"evidently": ("c09",), "nannyml": ()}
ROUNDS = 3
WORDS = {"evidently": "Evidently 0.7.23, `DataDriftPreset`", "nannyml": "NannyML 0.13.1, `UnivariateDriftCalculator`"}


def main(rows: int, asked: list[str]) -> None:
    """Make the data, run everybody one after the other, print the table."""
    with tempfile.TemporaryDirectory() as folder:
        reference, current = Path(folder, "reference.parquet"), Path(folder, "current.parquet")
        columns.write(reference, rows, drifted=False)
        columns.write(current, rows, drifted=True)
        told = [*ours(reference, current)]
        told += [theirs(peer, reference, current, Path(folder, f"{peer}.json")) for peer in asked]
    Console(width=160).print(f"{rows:,} rows × 30 columns, reference of the same size")
    Console(width=160).print(table(("who", "CPU, times the read", "peak MiB"), told), markup=False, highlight=False)


def cpu_of(do: Callable[[], object]) -> float:
    """Return the CPU seconds, user and system, that this takes in all threads."""
    before = time.process_time()
    do()
    return time.process_time() - before


def read(current: Path, left_out: tuple[str, ...]) -> float:
    """Return the CPU seconds that pyarrow needs for the same columns: the best of some rounds."""
    names = [name for name in pq.read_schema(current).names if name not in left_out]
    return min(cpu_of(lambda: pq.read_table(current, columns=names)) for _ in range(ROUNDS))


def ours(reference: Path, current: Path) -> Iterator[tuple[str, str, str]]:
    """Yield our rows, against a profile that is kept: every check there is, and those of single columns, as peers have them."""
    model, found = columns.a_model(), list(discover(checks, Check).values())
    before = FileSource(reference).reading(model, columns.WINDOW)
    single = [check for check in found if model.task not in check.whole_rows]
    columns.look(current, model, before, found)
    for words, some in ((f"all {len(found)} checks", found), (f"the {len(single)} of them that learn from no whole rows", single)):
        cpu = min(cpu_of(partial(columns.look, current, model, before, some)) for _ in range(ROUNDS))
        yield f"aiops-bot, {words}", f"{cpu / read(current, ()):.1f}", "see the speed table"


def theirs(peer: str, reference: Path, current: Path, out: Path) -> tuple[str, str, str]:
    """Return the row of one peer, which reads both files, as it does at every call."""
    left_out = LEFT_OUT[peer]
    if peers.started(peer, SAYS, peer, reference, current, out, *left_out).wait():
        return WORDS[peer], "failed", "–"
    cost: Mapping[str, float] = json.loads(out.read_text(encoding="utf-8"))
    spared = f", spared {', '.join(left_out)}" if left_out else ""
    return WORDS[peer] + spared, f"{cost['cpu'] / read(current, left_out):,.0f}", f"{cost['peak']:,.0f}"


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    main(size, sys.argv[2:] or list(peers.PEERS))
