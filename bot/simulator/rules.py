"""Small rules that say what a piece of JSON must look like, in the words of Slack's `response_metadata.messages`.

A rule takes a value, the JSON pointer to it and the list of problems to which it adds. Rules are built from
each other: `thing(required, optional)` for objects, `many` for arrays, `kinds` for objects told apart by `type`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

Rule = Callable[[Any, str, list[str]], None]


def problem(text: str, pointer: str) -> str:
    """Return one line as Slack writes it."""
    return f"[ERROR] {text} [json-pointer:{pointer}]"


def string(most: int, least: int = 1) -> Rule:
    """Allow a string of `least` to `most` characters."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, str):
            problems.append(problem("must provide a string", pointer))
        elif len(value) > most:
            problems.append(problem(f"must be less than {most + 1} characters", pointer))
        elif len(value) < least:
            problems.append(problem(f"must be more than {least - 1} characters", pointer))

    return rule


def link(most: int = 3000) -> Rule:
    """Allow an http(s) or mailto address."""
    length = string(most)

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        length(value, pointer, problems)
        if isinstance(value, str) and not value.startswith(("http://", "https://", "mailto:", "slack://")):
            problems.append(problem("invalid url", pointer))

    return rule


def flag(value: Any, pointer: str, problems: list[str]) -> None:
    """Allow true and false."""
    if not isinstance(value, bool):
        problems.append(problem("must provide a boolean", pointer))


def whole(least: int, most: int) -> Rule:
    """Allow a whole number of a range."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if isinstance(value, bool) or not isinstance(value, int):
            problems.append(problem("must provide an integer", pointer))
        elif not least <= value <= most:
            problems.append(problem(f"must be between {least} and {most}", pointer))

    return rule


def finite(value: Any, pointer: str, problems: list[str]) -> None:
    """Allow a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        problems.append(problem("must provide a number", pointer))


def one_of(*allowed: str) -> Rule:
    """Allow one of a few words."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if value not in allowed:
            problems.append(problem("must be a valid enum value", pointer))

    return rule


def many(item: Rule, least: int = 1, most: int = 1_000) -> Rule:
    """Allow an array of `least` to `most` items that follow a rule."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, list):
            problems.append(problem("must provide an array", pointer))
            return
        if len(value) > most:
            problems.append(problem(f"no more than {most} items allowed", pointer))
        if len(value) < least:
            problems.append(problem(f"must have at least {least} items", pointer))
        for index, each in enumerate(value):
            item(each, f"{pointer}/{index}", problems)

    return rule


def thing(
    required: Mapping[str, Rule] | None = None,
    optional: Mapping[str, Rule] | None = None,
    *also: Rule,
) -> Rule:
    """Allow an object with these keys and no other; `also` rules look at the whole of it."""
    needed, known = required or {}, {**(required or {}), **(optional or {})}

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if not isinstance(value, dict):
            problems.append(problem("must provide an object", pointer))
            return
        missing = [key for key in needed if value.get(key) is None]
        problems.extend(problem(f"missing required field: {key}", pointer) for key in missing)
        for key, each in value.items():
            if key not in known and key != "type":
                problems.append(problem(f"invalid additional property: {key}", pointer))
            elif key in known and each is not None:
                known[key](each, f"{pointer}/{key}", problems)
        for other in also:
            other(value, pointer, problems)

    return rule


def kinds(table: Mapping[str, Rule]) -> Rule:
    """Allow an object whose `type` picks its rule."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(value, dict):
            problems.append(problem("must provide an object", pointer))
        elif kind is None:
            problems.append(problem("missing required field: type", pointer))
        elif not isinstance(kind, str) or kind not in table:
            problems.append(problem(f"unsupported type: {kind}", f"{pointer}/type"))
        else:
            table[kind](value, pointer, problems)

    return rule


def needs_one(*keys: str) -> Rule:
    """Demand at least one of several optional keys."""

    def rule(value: Any, pointer: str, problems: list[str]) -> None:
        if not any(value.get(key) for key in keys):
            problems.append(problem(f"missing required field: one of {', '.join(keys)}", pointer))

    return rule
