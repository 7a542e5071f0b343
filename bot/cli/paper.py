"""Paper: tables for people, JSON for programs, complaints for stderr.

What is printed comes from data and is hostile: no markup is read in it, and control characters cannot reach the terminal.
"""

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

NARROW = 90
"""Below this many columns a row's note goes under it instead of beside it: a phone's terminal has about 50."""
PLAIN_WIDTH = 400
COLORS = {
    "healthy": "green",
    "ok": "green",
    "warning": "yellow",
    "hint": "yellow",
    "critical": "bold red",
    "problem": "bold red",
    "unknown": "magenta",
    "open": "bold red",
    "resolved": "green",
    "succeeded": "green",
    "failed": "bold red",
    "SEV1": "bold red",
    "SEV2": "red",
    "SEV3": "yellow",
}


def console(*, errors: bool = False) -> Console:
    """Return a console on stdout or stderr; where nobody watches it is plain and never wraps a line."""
    stream = sys.stderr if errors else sys.stdout
    width = None if stream.isatty() else PLAIN_WIDTH
    return Console(file=stream, width=width, highlight=False, emoji=False, markup=False)


def clean(value: object) -> str:
    """Return text that can only be read: every character that steers a terminal is replaced."""
    text = "–" if value is None else str(value)
    return re.sub(r"[^\S\n]+", " ", "".join(c if c.isprintable() or c == "\n" else "�" for c in text))


def word(value: object) -> Text:
    """Return a word in its color: verdicts, states and severities have one."""
    text = clean(value)
    return Text(text, COLORS.get(text, ""))


def say(text: object = "", style: str = "") -> None:
    """Print one line to stdout."""
    console().print(Text(clean(text), style), soft_wrap=not sys.stdout.isatty())


def complain(sentence: str) -> None:
    """Print one sentence to stderr, on one line however long it is."""
    console(errors=True).print(Text(clean(sentence).replace("\n", " "), "red"), soft_wrap=True)


def dump(data: object) -> None:
    """Print pure JSON; a number that JSON does not know (NaN, infinity) becomes null."""
    sys.stdout.write(json.dumps(_pure(data), indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "", empty: str = "") -> None:
    """Print rows; the last column is the note that needs the room, under the row where the terminal is narrow."""
    listed = list(rows)
    if title:
        say(title, "bold")
    if not listed:
        say(empty)
        return
    out = console()
    if not out.is_terminal:
        _plain(headers, listed)
    elif out.width < NARROW:
        _stacked(out, listed)
    else:
        out.print(_grid(headers, listed))


def _plain(headers: Sequence[str], rows: list[Sequence[object]]) -> None:
    """Print columns for grep, awk and logs: one row a line, never wrapped, nothing but text."""
    texts = [list(headers), *([clean(cell).replace("\n", " ") for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for line in texts:
        told = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        sys.stdout.write(told.rstrip() + "\n")


def _grid(headers: Sequence[str], rows: list[Sequence[object]]) -> Table:
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for header in headers:
        grid.add_column(header, overflow="fold")
    for row in rows:
        grid.add_row(*(word(cell) for cell in row))
    return grid


def _stacked(out: Console, rows: list[Sequence[object]]) -> None:
    for *cells, note in rows:
        told = (word(cell) for cell in cells if clean(cell))
        out.print(Text("  ").join(told))
        if clean(note):
            out.print(Padding(Text(clean(note), "dim"), (0, 0, 0, 2), expand=False))


def remark(state: str, words: str, mend: str = "") -> None:
    """Print one judged line, and under it the way out."""
    mark = {"ok": "✓", "problem": "✗", "hint": "!"}.get(state, "?")
    out = console()
    out.print(
        Text(f"{mark} {clean(words)}", COLORS.get(state, ""))
        if state != "ok"
        else Text.assemble((mark, "green"), f" {clean(words)}")
    )
    if mend:
        out.print(Padding(Text(f"→ {clean(mend)}", "dim"), (0, 0, 0, 2), expand=False))


def facts(pairs: Mapping[str, object]) -> None:
    """Print names and values, one a line; what is empty is left out."""
    told = {clean(name): value for name, value in pairs.items() if value not in ("", None)}
    wide = max(map(len, told), default=0)
    for name, value in told.items():
        console().print(Text.assemble((name.ljust(wide + 2), "dim"), word(value)), soft_wrap=not sys.stdout.isatty())


def _pure(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _pure(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_pure(inner) for inner in value]
    return value
