"""What was learned from a reference's rows, kept as long as these rows are: every look compares with the same reference again."""

from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary

from bot.core.joint import JointRows

T = TypeVar("T")

_lock = Lock()
_known: WeakKeyDictionary[JointRows, dict[Hashable, Any]] = WeakKeyDictionary()


def once(rows: JointRows, what: Hashable, learn: Callable[[], T]) -> T:
    """Return what `learn` makes of these very rows, made once; `what` names it and all that it depends on besides them."""
    with _lock:
        of_rows = _known.setdefault(rows, {})
        if what in of_rows:
            return cast("T", of_rows[what])
    made = learn()  # two threads may both learn it: it is the same
    with _lock:
        return cast("T", of_rows.setdefault(what, made))
