"""Two files of predictions, no set-up: how well does the model do, and how well would it do where no label has come yet?

What `aiops estimate` shows: the current file chunk by chunk, its realised metrics as far as labels have come, the estimated ones
with their band, and the lines that the reference's own chunks of that size draw.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bot.core.findings import Verdict
from bot.core.profiles import Counts
from bot.core.words import plain, some
from bot.sources.files import table_of
from bot.sources.predictions import Asked, Task, column, task_of
from bot.sources.values import moments
from bot.stats.estimates import LOWER_IS_BETTER, Band
from bot.stats.usual import LEAST_CHUNKS, Usual, drawn_chunks, usual, whole_chunks

CHUNKS = 10
LEAST_ROWS = 50
"""Fewer rows are not enough data, for a chunk as for the reference."""
USUAL_ROWS = 200
"""Smaller chunks are only cut when they are asked for: their bands are too wide to say much."""
COMPLETE = 0.95
"""From this share of labels on realised metrics judge, too: earlier ones may be those that come early for a reason."""

Limits = Mapping[str, Usual]


def estimate_tables(reference: Path, current: Path, asked: Asked) -> dict[str, Any]:
    """Return what is realised, estimated and usual, by chunk of the current file, as plain JSON.

    Raises:
        SourceUnavailable: one of the two cannot be read.
        ConfigError: a column is not there, or does not hold what it is said to.
    """
    return told(table_of(reference), table_of(current), asked)


def told(reference: pa.Table, current: pa.Table, asked: Asked) -> dict[str, Any]:
    """Return the same for two tables in memory."""
    reference, _ = _in_order(reference, asked.time, "reference")
    current, at = _in_order(current, asked.time, "current")
    task = task_of(asked, reference, current)
    size = asked.chunk_size or chunk_size(len(current), task.usable)

    @cache
    def limits(rows: int) -> Limits:
        whole = task.usable // rows >= LEAST_CHUNKS
        return usual((whole_chunks if whole else drawn_chunks)(task.usable, rows), task.usual)

    chunks = []
    for index, start in enumerate(range(0, len(current), size)):
        rows = np.arange(start, min(start + size, len(current)))
        chunk = {"index": index, "rows": len(rows)} | _when(at, rows) | _chunk(task, rows, limits)
        chunks.append(chunk)
    drawn = task.usable // min(size, max(len(current), 1)) < LEAST_CHUNKS
    return {
        "task": asked.task,
        "reference": {"rows": len(reference), "usable": task.usable},
        "current": {"rows": len(current), "scored": int(task.scored.sum()), "labelled": int((task.scored & task.labelled).sum())},
        "chunk_size": size,
        "verdict": overall(chunks).value,
        "notes": [*task.notes, *_notes(task, drawn=drawn)],
        "chunks": chunks,
    }


def chunk_size(rows: int, usable: int) -> int:
    """Return the rows of a chunk: ten chunks, but none of fewer than 200 rows or larger than a tenth of the reference."""
    tenth = -(-rows // CHUNKS)
    return max(min(tenth, -(-usable // CHUNKS)), USUAL_ROWS)


def overall(chunks: list[dict[str, Any]]) -> Verdict:
    """Return the worst verdict; a small rest at the end does not make the whole unknown."""
    judged = [chunk for chunk in chunks[:-1] if chunk] + [c for c in chunks[-1:] if len(chunks) == 1 or c["rows"] >= LEAST_ROWS]
    return max((Verdict(c["verdict"]) for c in judged), key=lambda v: v.rank, default=Verdict.UNKNOWN)


def _in_order(table: pa.Table, time: str, side: str) -> tuple[pa.Table, Counts | None]:
    """Return the rows by time, and their times, where a column says it; rows without a time are left out."""
    if not time:
        return table, None
    timed = table.filter(column(table, time, side).is_valid())
    at = moments(timed.column(time), time)
    order = np.argsort(at, kind="stable")
    return timed.take(pa.array(order)), at[order]


def _when(at: Counts | None, rows: Counts) -> dict[str, Any]:
    if at is None:
        return {}
    first, last = (datetime.fromtimestamp(int(np.clip(at[row], 0, 2**37)), UTC).isoformat() for row in (rows[0], rows[-1]))
    return {"first": first, "last": last}


def _chunk(task: Task, rows: Counts, limits: Any) -> dict[str, Any]:
    scored = rows[task.scored[rows]]
    known = scored[task.labelled[scored]]
    realised = {**dict.fromkeys(task.metrics), **task.realised(known)} if len(known) else {}
    expected = task.expected(scored) if len(scored) else {}
    enough = min(len(scored), task.usable) >= LEAST_ROWS
    lines = {name: one.lines(name) for name, one in limits(len(rows)).items()} if enough else {}
    found = {
        "labelled": len(known),
        "realized": realised,
        "estimated": {name: expected[name]._asdict() for name in task.metrics if name in expected},
        "thresholds": {name: {"lower": lines[name][0], "upper": lines[name][1]} for name in task.metrics if name in lines},
    }
    whole = len(known) >= max(COMPLETE * len(scored), 1)
    verdict, reason = _judged(expected, realised if whole else {}, lines)
    if not enough:
        fewer = "the chunk has" if len(scored) < LEAST_ROWS else "the reference has"
        verdict, reason = (
            Verdict.UNKNOWN,
            f"not enough data: {fewer} {min(len(scored), task.usable):,} of {LEAST_ROWS:,} usable rows",
        )
    return found | {"verdict": verdict.value, "reason": reason}


def _judged(
    expected: Mapping[str, Band], realised: Mapping[str, float | None], lines: Mapping[str, tuple[float, float]]
) -> tuple[Verdict, str]:
    """Hold estimates with their whole band, and known metrics with a band as wide, against the bad side's line."""
    compared = [name for name in expected if name in lines]
    if not compared:
        return Verdict.UNKNOWN, "nothing can be estimated and compared with the reference"
    ours = [name for name in compared if beyond(name, expected[name], lines[name])]
    theirs = [name for name in compared if beyond(name, _around(realised.get(name), expected[name]), lines[name])]
    reasons = [
        f"{what} {some([plain(name) for name in names], 9)}" for what, names in (("estimated", ours), ("realised", theirs)) if names
    ]
    told = f"beyond what is usual with the whole band: {'; '.join(reasons)}"
    return (Verdict.CRITICAL, told) if reasons else (Verdict.HEALTHY, "")


def _around(value: float | None, like: Band) -> Band:
    """Return a known value with a band as wide as its estimate's; an unknown one can be anything."""
    if value is None:
        return Band(0.0, -np.inf, np.inf)
    half = max(like.upper - like.value, like.value - like.lower)
    return Band(value, value - half, value + half)


def beyond(name: str, band: Band, lines: tuple[float, float]) -> bool:
    """Return whether the whole band lies on the bad side of the line: better than usual is no trouble."""
    return band.lower > lines[1] if name in LOWER_IS_BETTER else band.upper < lines[0]


def _notes(task: Task, *, drawn: bool) -> list[str]:
    notes = []
    scored, known = int(task.scored.sum()), int((task.scored & task.labelled).sum())
    if scored < len(task.scored):
        notes.append(f"{len(task.scored) - scored:,} rows have no usable score and are left out.")
    if known < scored:
        none = "no row has a label: nothing is realised" if not known else f"{known:,} of {scored:,} rows have a label"
        notes.append(f"Of the current file {none}; the rest is estimated.")
    if drawn:
        notes.append(
            f"The reference holds fewer than {LEAST_CHUNKS} chunks of this size: thresholds come from chunks drawn at random; "
            "they know chance but no bad days."
        )
    return [*notes, "Estimates are blind to concept drift: they rest on what scores and inputs meant in the reference."]
