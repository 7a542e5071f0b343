"""A look over a database driver's shoulder."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def rows_sent(engine: Engine, ask: Callable[[], object]) -> int:
    """Return how many rows the answers to what is asked have; none of them may be streamed."""
    counts: list[int] = []

    def count(_connection: Any, cursor: Any, *_: object) -> None:
        counts.append(max(cursor.rowcount, 0))

    event.listen(engine, "after_cursor_execute", count)
    try:
        ask()
    finally:
        event.remove(engine, "after_cursor_execute", count)
    return sum(counts)
