"""What is asked more than once of the same things, worked out once and kept as long as they are.

Every look compares with the same reference again, and several checks of a look ask the same of its columns.
"""

from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakKeyDictionary

P = ParamSpec("P")
T = TypeVar("T")

_lock = Lock()
_known: WeakKeyDictionary[Any, dict[Hashable, Any]] = WeakKeyDictionary()


def once(of: object, what: Hashable, learn: Callable[[], T]) -> T:
    """Return what `learn` makes of this very object, made once; `what` names it and all that it depends on besides.

    What is made must not hold the object itself: it would be kept for ever.
    """
    with _lock:
        known = _known.setdefault(of, {})
        if what in known:
            return cast("T", known[what])
    made = learn()  # two threads may both learn it: it is the same
    with _lock:
        return cast("T", known.setdefault(what, made))


def shared(work_out: Callable[P, T]) -> Callable[P, T]:
    """Make a function of things that never change answer the same question once, as long as the last of them is there."""

    @wraps(work_out)
    def asked(*of: P.args, **named: P.kwargs) -> T:
        return once(of[-1], (work_out, *of[:-1], *named.items()), lambda: work_out(*of, **named))

    return asked
