"""The weights in a dynamic-configuration file of Traefik: found in its text, and changed there without touching anything else.

The file belongs to its operators, so it is never parsed and written anew: comments, order and whatever Traefik has that we do not
know would be lost. Only the digits of the weights are exchanged, and both texts must then be the same YAML but for these digits.
What stands in the file is hostile until looked at: it is read as a stream of events, so neither depth nor aliases can grow.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from bot.core.errors import ActionFailed

MOST_DEPTH = 60
PROVIDER = "@file"

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Place = tuple[str | int, ...]
Weights = Mapping[str, int]
"""Whole numbers by the qualified name of a service."""


@dataclass(frozen=True, slots=True)
class Spot:
    """One weight, and where its digits (with quotes, if any) stand in the text: `[start, end)` in characters."""

    weight: int
    start: int
    end: int


def qualified(service: str) -> str:
    """Return the name by which Traefik knows a service everywhere: with its provider, this file where none is written."""
    return service if "@" in service else service + PROVIDER


def weights(text: str, service: str, where: str) -> dict[str, int]:
    """Return the weight of each service between which a weighted one shares traffic, by qualified name.

    Raises:
        ActionFailed: the text is no YAML, has no such weighted service, or its weights are not written as plain whole numbers.
    """
    return {name: spot.weight for name, spot in _spots(text, service, where).items()}


def changed(text: str, service: str, wanted: Weights, where: str) -> str:
    """Return the text with these weights, by qualified name, and everything else as it was.

    Raises:
        ActionFailed: as `weights`, or more than the weights would change.
    """
    new = text
    for name, spot in sorted(_spots(text, service, where).items(), key=lambda item: item[1].start, reverse=True):
        new = new[: spot.start] + str(wanted[name]) + new[spot.end :]
    if weights(new, service, where) != dict(wanted) or _rest(new, service, where) != _rest(text, service, where):
        raise ActionFailed(f"{where} cannot be changed without changing more than the weights of '{service}'; nothing was written.")
    return new


def _spots(text: str, service: str, where: str) -> dict[str, Spot]:
    home = _home(service)
    names: dict[int | str, Any] = {}
    numbers: dict[int | str, Any] = {}
    for place, event in _values(text, where):
        if place[: len(home)] == home[: len(place)]:
            _own(event, where)
        if place[:-2] == home and place[-1] in ("name", "weight"):
            (names if place[-1] == "name" else numbers)[place[-2]] = event
    if not names:
        raise ActionFailed(f"{where} has no http.services.{service}.weighted.services; is it really the file of this model?")
    found = {qualified(str(event.value)): _spot(text, service, event, numbers.get(i), where) for i, event in names.items()}
    if len(found) < len(names):
        raise ActionFailed(f"{where} names a service twice in the weighted service '{service}'; once is enough.")
    return found


def _home(service: str) -> Place:
    return "http", "services", service, "weighted", "services"


def _rest(text: str, service: str, where: str) -> list[tuple[object, ...]]:
    """Return everything that the text says but the weights."""
    return [
        (place, type(event), event.anchor, getattr(event, "tag", None), getattr(event, "value", None))
        for place, event in _values(text, where)
        if place[:-2] != _home(service) or place[-1] != "weight"
    ]


def _own(event: Any, where: str) -> None:
    """What an alias shares with other places cannot be changed in one of them."""
    if isinstance(event, yaml.AliasEvent) or event.anchor:
        raise ActionFailed(f"{where}, line {_line(event)}: the weights are shared by an anchor (& or *); write them out here.")


def _spot(text: str, service: str, name: Any, event: Any, where: str) -> Spot:
    if event is None:
        raise ActionFailed(f"{where}, line {_line(name)}: a service of '{service}' has no `weight`; write one, e.g. `weight: 0`.")
    start, end = event.start_mark.index, event.end_mark.index
    if not re.fullmatch(r"(\"|'|)(0|[1-9][0-9]{0,8})\1", text[start:end]):
        raise ActionFailed(f"{where}, line {_line(event)}: the weight is no plain whole number; write one.")
    return Spot(int(event.value), start, end)


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


@dataclass(slots=True)
class _Open:
    """A mapping or a list that has begun: where it is, and what its next value is called."""

    place: Place
    mapping: bool
    keys: set[str] = field(default_factory=set)
    key: str | None = None
    count: int = 0

    def next(self) -> str | int:
        key, self.key = self.key, None
        self.count += 1
        return self.count - 1 if key is None else key


def _values(text: str, where: str) -> Iterator[tuple[Place, Any]]:
    """Yield every value in the text with its place, e.g. ("http", "services"), in the order in which they stand there."""
    opened: list[_Open] = []
    documents = 0
    try:
        events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                opened.pop()
            elif isinstance(event, yaml.NodeEvent) and not _is_key(event, opened, where):
                place: Place = (*opened[-1].place, opened[-1].next()) if opened else ()
                if len(place) > MOST_DEPTH or documents > 1:
                    raise ActionFailed(f"{where}, line {_line(event)}: this is no file that Traefik would take.")
                yield place, event
                if isinstance(event, yaml.CollectionStartEvent):
                    opened.append(_Open(place, isinstance(event, yaml.MappingStartEvent)))
    except yaml.YAMLError as error:
        mark: Any = getattr(error, "problem_mark", None)
        raise ActionFailed(
            f"{where}, line {mark.line + 1 if mark else 1}: this is not YAML; Traefik does not take it either."
        ) from None


def _is_key(event: Any, opened: list[_Open], where: str) -> bool:
    """Say whether this is the name of what comes next; names are plain text, each once."""
    inside = opened[-1] if opened else None
    if inside is None or not inside.mapping or inside.key is not None:
        return False
    if not isinstance(event, yaml.ScalarEvent) or event.value in inside.keys:
        line = _line(event)
        raise ActionFailed(f"{where}, line {line}: a key must be plain text and stand only once; Traefik does not take it either.")
    inside.key = str(event.value)
    inside.keys.add(inside.key)
    return True
