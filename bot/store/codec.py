"""Frozen dataclasses to JSON and back, directed by their annotations; arrays travel beside it, never pickled.

Strict on the way in: an unknown field, a wrong type or a missing value without a default is a `ValueError` that names the place. A
field that was added later with a default is the one difference allowed, so that old rows stay readable.
Free-form mappings (`Mapping[str, object]`) keep JSON's own types, times and non-finite numbers; their tuples come back as lists.
"""

import io
import json
import math
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from bot.core.windows import utc

T = TypeVar("T")
Arrays = dict[str, np.ndarray[Any, Any]]
WRITTEN = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":"))
AS_THEY_ARE = frozenset({str, int, bool, type(None)})


def dumps(value: object, arrays: Arrays | None = None) -> str:
    """Return pure-ASCII JSON, so that no database can refuse a character of hostile text; arrays are put into `arrays`."""
    return WRITTEN.encode(_plain(value, arrays))


def brief(value: object) -> str:
    """Return it as `dumps` does, a dataclass without the fields that hold their default; `loads` fills them in again."""
    kind: Any = type(value)
    given = ((name, getattr(value, name), default) for name, default in _defaults(kind))
    return WRITTEN.encode({name: _plain(one, None) for name, one, default in given if one is not default and one != default})


def loads(kind: type[T], text: str, arrays: Arrays | None = None) -> T:
    """Return the value of this type that `dumps` wrote.

    Raises:
        ValueError: the text does not describe such a value; the message names the field.
    """
    value: T = _typed(kind, json.loads(text), kind.__name__, arrays or {})
    return value


def pack(arrays: Arrays) -> bytes:
    """Return the arrays as one compressed npz; an array of Python objects is refused, because only pickle could store it."""
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise ValueError(f"Array {name} holds Python objects; store numbers, booleans or text.")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def unpack(data: bytes) -> Arrays:
    """Return the arrays of one npz; pickled content raises ValueError."""
    with np.load(io.BytesIO(data), allow_pickle=False) as npz:
        return {name: npz[name] for name in npz.files}


def _plain(value: object, arrays: Arrays | None) -> Any:  # noqa: PLR0911
    if type(value) in AS_THEY_ARE:  # most of what there is; the questions below are for the rest
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, np.generic):
        return _plain(value.item(), arrays)
    if isinstance(value, (int, float)):
        return value if math.isfinite(value) else {"$float": str(float(value))}
    if isinstance(value, datetime):
        return {"$time": _text(value)}
    if isinstance(value, timedelta):
        return {"$seconds": value.total_seconds()}
    if isinstance(value, np.ndarray):
        return _aside(value, arrays)
    return _plain_container(value, arrays)


def _plain_container(value: object, arrays: Arrays | None) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, name), arrays) for name in _names(type(value))}
    if isinstance(value, Mapping):
        pairs = [(str(key), _plain(one, arrays)) for key, one in value.items()]
        if any(key.startswith("$") for key, _ in pairs):  # hostile keys must not read as our own marks
            return {"$pairs": [list(pair) for pair in pairs]}
        return dict(pairs)
    if isinstance(value, (set, frozenset)):
        return [_plain(one, arrays) for one in sorted(value)]
    if isinstance(value, (list, tuple)):
        return [_plain(one, arrays) for one in value]
    raise TypeError(f"A {type(value).__name__} cannot be stored; store numbers, text, times, lists and mappings.")


def _aside(value: np.ndarray[Any, Any], arrays: Arrays | None) -> dict[str, str]:
    if arrays is None:
        raise TypeError("An array cannot be stored in this row; store a short list.")
    name = f"a{len(arrays)}"
    arrays[name] = value
    return {"$array": name}


def _free(raw: Any) -> Any:  # noqa: PLR0911
    """Return free-form JSON with its marks read."""
    if isinstance(raw, list):
        return [_free(one) for one in raw]
    if not isinstance(raw, dict):
        return raw
    match list(raw.items()):
        case [("$time", str(text))]:
            return datetime.fromisoformat(text)
        case [("$float", str(text))]:
            return float(text)
        case [("$seconds", float(seconds) | int(seconds))]:
            return timedelta(seconds=seconds)
        case [("$pairs", list(pairs))]:
            return {key: _free(one) for key, one in pairs}
    return {key: _free(one) for key, one in raw.items()}


def _typed(kind: Any, raw: Any, place: str, arrays: Arrays) -> Any:  # noqa: PLR0911
    if type(raw) is kind and (kind in AS_THEY_ARE or kind is float):
        return raw
    origin, args = get_origin(kind), get_args(kind)
    if kind in (Any, object):
        return _free(raw)
    if origin in (Union, types.UnionType):
        return _one_of(args, raw, place, arrays)
    if isinstance(kind, type) and is_dataclass(kind):
        return _dataclass(kind, raw, place, arrays)
    if origin is tuple:
        return _tuple(args, raw, place, arrays)
    if origin is frozenset:
        return frozenset(_typed(args[0], one, place, arrays) for one in _wanted(list, raw, place))
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        named = _wanted(dict, _pairs(raw), place)
        return {key: _typed(args[1], one, f"{place}[{key!r}]", arrays) for key, one in named.items()}
    if origin is np.ndarray or kind is np.ndarray:
        return arrays[_wanted(dict, raw, place)["$array"]]
    return _scalar(kind, raw, place)


def _pairs(raw: Any) -> Any:
    return dict(raw["$pairs"]) if isinstance(raw, dict) and list(raw) == ["$pairs"] else raw


def _scalar(kind: Any, raw: Any, place: str) -> Any:
    if kind is float:
        value = _free(raw)
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else _wanted(float, value, place)
    if kind in (datetime, timedelta):
        return _wanted(kind, _free(raw), place)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(_wanted(str, raw, place))
    if kind is int and isinstance(raw, bool):
        raise ValueError(f"{place} should be a whole number, the stored row says {raw}.")
    if kind in (int, str, bool, type(None)):
        return _wanted(kind, raw, place)
    raise TypeError(f"{place} is annotated {kind}, which the store cannot read.")


def _wanted(kind: type[T], raw: Any, place: str) -> T:
    if not isinstance(raw, kind):
        raise ValueError(f"{place} should be {kind.__name__}, the stored row has {type(raw).__name__}.")  # noqa: TRY004
    return raw


def _one_of(choices: tuple[Any, ...], raw: Any, place: str, arrays: Arrays) -> Any:
    if raw is None and type(None) in choices:
        return None
    kinds = [kind for kind in choices if kind is not type(None)]
    for kind in kinds[:-1]:
        if isinstance(kind, type) and isinstance(raw, dict) and set(raw) <= set(_hints(kind)):
            return _typed(kind, raw, place, arrays)
    return _typed(kinds[-1], raw, place, arrays)


def _tuple(args: tuple[Any, ...], raw: Any, place: str, arrays: Arrays) -> tuple[Any, ...]:
    items = _wanted(list, raw, place)
    kinds = [args[0]] * len(items) if args[-1] is Ellipsis else list(args)
    if len(kinds) != len(items):
        raise ValueError(f"{place} should have {len(kinds)} items, the stored row has {len(items)}.")
    return tuple(_typed(kind, one, f"{place}[{i}]", arrays) for i, (kind, one) in enumerate(zip(kinds, items, strict=True)))


def _dataclass(kind: Any, raw: Any, place: str, arrays: Arrays) -> Any:
    given = _wanted(dict, raw, place)
    hints = _hints(kind)
    if unknown := set(given) - set(hints):
        raise ValueError(f"{place} has no field {', '.join(sorted(unknown))}; was this row written by a newer version?")
    if missing := _required(kind) - set(given):
        raise ValueError(f"{place} lacks {', '.join(sorted(missing))}.")
    return kind(**{name: _typed(hints[name], one, f"{place}.{name}", arrays) for name, one in given.items()})


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((f.name, f.default) for f in fields(kind))  # where there is none it is MISSING, which nothing equals


@lru_cache(maxsize=4_096)
def _text(moment: datetime) -> str:
    """Return a moment as it is written; all findings of a look say the same two."""
    return utc(moment).isoformat()


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind)


@cache
def _required(kind: Any) -> frozenset[str]:
    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
