"""Settings from a file into a pydantic model, and pydantic's findings into sentences with file and line.

Values are never repeated: a misplaced one may be a secret.
"""

import difflib
import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError
from pydantic_core import ErrorDetails
from pytimeparse2 import parse as parse_duration

from bot.core.errors import ConfigError
from bot.yaml import Document

M = TypeVar("M", bound=BaseModel)


class Part(BaseModel):
    """Any part of a settings file: unknown names are mistakes, values are never echoed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


SENTENCES: Mapping[str, str] = {
    "string_type": "must be text; put it in quotes",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be a mapping (name: value)",
    "model_type": "must be a mapping (name: value)",
    "model_attributes_type": "must be a mapping (name: value)",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
    "string_pattern_mismatch": "must look like {pattern}",
    "too_short": "needs at least {min_length} of them",
    "too_long": "must not have more than {max_length} of them",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
    "datetime_from_date_parsing": "must be a time such as 2013-04-01T00:00:00Z",
    "datetime_type": "must be a time such as 2013-04-01T00:00:00Z",
    "timezone_aware": "must be a time with its zone, such as 2013-04-01T00:00:00Z",
}


def validated(document: Document, model: type[M]) -> M:
    """Return the document as this model.

    Raises:
        ConfigError: the first thing that is wrong, with file and line, and how many more there are.
    """
    try:
        # through JSON, because pydantic's strict mode then still takes a list for a tuple and a text for an enum
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        sentences = list(_sentences(document, model, error))
    more = len(sentences) - 1
    raise ConfigError(sentences[0] + (f" ({more} more in this file.)" if more else ""))


def options(given: Mapping[str, object], model: type[M], *, of: str) -> M:
    """Return a plug-in's options as this model; `of` is what errors call it, e.g. "Connector envoy".

    Raises:
        ConfigError: an option is missing, unknown or wrong.
    """
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    raise ConfigError(f"{of}: {_sentence(first, list(_names(model)))}.")


def problems(document: Document, model: type[BaseModel]) -> list[str]:
    """Return everything that is wrong with the document, one sentence each, by line; empty when nothing is."""
    try:
        model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        return list(_sentences(document, model, error))
    return []


def _sentences(document: Document, model: type[BaseModel], error: ValidationError) -> Iterator[str]:
    known = list(_names(model))
    details = error.errors(include_url=False, include_input=False)
    inner = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    # a list whose one entry is wrong is told to be too short, too: that is only an echo
    details = [d for d in details if not (d["type"] == "too_short" and d["loc"] in inner)]
    for detail in sorted(details, key=lambda d: document.line(place(d))):
        yield f"{document.where}, line {document.line(place(detail))}: {_sentence(detail, known)}."


def place(detail: ErrorDetails) -> tuple[int | str, ...]:
    """Return where in the file it is; which of two ways of writing a part was meant, "(rules)", is no place in it."""
    return tuple(part for part in detail["loc"] if not str(part).startswith("("))


def _sentence(detail: ErrorDetails, known: list[str]) -> str:
    path = [str(part) for part in place(detail)]
    inside, name = ".".join(path[:-1]), path[-1] if path else "the file"
    if detail["type"] == "missing":
        return f"'{name}' is missing" + (f" in {inside}" if inside else "")
    if detail["type"] == "extra_forbidden":
        near = [] if name in known else difflib.get_close_matches(name, known, 1)  # known: only not here
        hint = f"; perhaps '{near[0]}' is meant" if near else ""
        return f"there is no setting '{name[:60]}'" + (f" in {inside}" if inside else "") + hint
    return f"{'.'.join(path) or 'the file'} {_words(detail)}"


def _words(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx") or {}
    if detail["type"] in ("value_error", "assertion_error"):
        return str(context.get("error", "is wrong")).rstrip(".")
    template = SENTENCES.get(detail["type"])
    if template is not None:
        return template.format_map({name: f"{value:g}" if isinstance(value, float) else value for name, value in context.items()})
    return "is wrong: " + detail["msg"][:1].lower() + detail["msg"][1:].rstrip(".")


def _names(model: type[BaseModel]) -> Iterator[str]:
    """Every setting's name anywhere in the model: what a typing error is compared with."""
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        yield from part.get("properties", ())


def duration(value: object) -> timedelta:
    """Return a positive length of time from text such as "20s", "5 min", "1h30m".

    Raises:
        ValueError: it is a bare number (of what?), negative, zero, or no length of time at all.
    """
    if isinstance(value, timedelta):
        return value
    seconds = parse_duration(value) if isinstance(value, str) and not value.strip().replace(".", "").isdigit() else None
    if seconds is None or not 0 < float(seconds) < 10 * 365 * 86_400 or ":" in str(value):
        raise ValueError("must be a length of time with its unit, such as 20s, 5m, 1h30m or 7d")
    return timedelta(seconds=float(seconds))


Duration = Annotated[timedelta, BeforeValidator(duration, json_schema_input_type=str)]
"""A setting that is written "20s", "5m", "1h30m", "7d"."""


def size(value: object) -> float:
    """Return a positive amount: a number, or bytes as text such as "8GiB", "512 MiB", "16GB".

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        number, factor = float(value), 1.0
    else:
        found = SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise ValueError("must be a number, or bytes with their unit such as 8GiB or 512MB")
        base = 1_024.0 if found[3] else 1_000.0
        number, factor = float(found[1]), base ** (1 + "KMGTP".index(found[2].upper()))
    if not 0 < number * factor < math.inf:
        raise ValueError("must be greater than 0")
    return number * factor


SIZE = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([kKMGTP])(i)?B")
Size = Annotated[float, BeforeValidator(size, json_schema_input_type=float | str)]
"""A setting that is a number, or bytes as "8GiB"."""
