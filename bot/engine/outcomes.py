"""What a step came to, as JSON: a result, or one of our errors with its sentence.

An error must be the same class and sentence in the first life and after every recovery, because the body decides by it; so it is
kept as data and never as an exception of the library.
"""

import json
import logging
from collections.abc import Callable, Iterator
from typing import cast

import sqlalchemy as sa

from bot.core.actions import Json
from bot.core.errors import AiopsError, OutcomeUnknown, StoreUnavailable

log = logging.getLogger("bot.engine")

Outcome = dict[str, object]


def outcome(name: str, do: Callable[[], Json]) -> Outcome:
    """Do it and return what came of it; an error that is not ours becomes OutcomeUnknown, since nobody knows how far it came."""
    try:
        return {"result": plain(do())}
    except StoreUnavailable:
        raise
    except AiopsError as error:
        return {"error": _lineage(type(error)), "sentence": str(error)}
    except Exception as error:
        if lost_the_database(error):
            raise
        return unknown(name, error)


def unknown(name: str, error: Exception) -> Outcome:
    """Return the outcome of a step that broke in a way of which nobody can say how far it came."""
    log.error("step %s broke", name, exc_info=error)
    sentence = f"Step '{name}' broke with {type(error).__name__}; read back what it did before doing it again."
    return {"error": _lineage(OutcomeUnknown), "sentence": sentence}


def answer(known: Outcome) -> Json:
    """Return the result, or raise the error that the step raised."""
    if "error" in known:
        names = cast("list[str]", known["error"])
        raise _class(names)(cast("str", known["sentence"]))
    return cast("Json", known["result"])


def plain(result: Json) -> Json:
    """Return it as JSON gives it back, so that the first life sees exactly what a later one will see.

    Raises TypeError or ValueError for what JSON cannot hold, NaN and infinities among it.
    """
    return cast("Json", json.loads(json.dumps(dict(result), allow_nan=False)))


def lost_the_database(error: BaseException) -> bool:
    """Return whether the database was away or locked: then the step was never judged and is done again."""
    return isinstance(error, (StoreUnavailable, sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError))


def _lineage(kind: type[AiopsError]) -> list[str]:
    return [parent.__name__ for parent in kind.__mro__ if issubclass(parent, AiopsError)]


def _class(names: list[str]) -> type[AiopsError]:
    known = {kind.__name__: kind for kind in _family(AiopsError)}
    return next((known[name] for name in names if name in known), AiopsError)


def _family(kind: type[AiopsError]) -> Iterator[type[AiopsError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)
