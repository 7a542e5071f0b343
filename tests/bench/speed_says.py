"""How much CPU a peer spends on two files. Run by `tests.bench.bench_peers` in the peer's own environment; imports nothing of ours.

Usage: PEER REFERENCE CURRENT OUT LEFT_OUT…. Warm: the same on the first 2,000 rows comes before. Writes CPU s, wall s, MiB.
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import pandas as pd

warnings.filterwarnings("ignore")


def evidently(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    from evidently import Report  # noqa: PLC0415
    from evidently.presets import DataDriftPreset  # noqa: PLC0415

    Report([DataDriftPreset()]).run(current, reference)


def nannyml(reference: pd.DataFrame, current: pd.DataFrame) -> None:
    from nannyml import UnivariateDriftCalculator  # noqa: PLC0415

    UnivariateDriftCalculator(column_names=list(reference)).fit(reference).calculate(current)


def main(job: Callable[[pd.DataFrame, pd.DataFrame], None], reference: str, current: str, out: str, *left_out: str) -> None:
    """Warm up, do the job once, write what it cost, reading the files included."""

    def read(path: str) -> pd.DataFrame:
        return pd.read_parquet(path).drop(columns=["time", *left_out])

    job(read(reference).head(2_000), read(current).head(2_000))
    cpu, wall = time.process_time(), time.perf_counter()
    job(read(reference), read(current))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024
    Path(out).write_text(json.dumps({"cpu": cpu, "wall": wall, "peak": peak}), encoding="utf-8")


if __name__ == "__main__":
    main({"evidently": evidently, "nannyml": nannyml}[sys.argv[1]], *sys.argv[2:])
