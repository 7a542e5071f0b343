"""YAML as people mean it: strict, small, and wrong with a line number.

Plain YAML 1.1 turns `no` into False, `1:30` into 90 and `010` into 8, lets the last of two equal keys win and lets eight lines of
aliases grow to gigabytes. Here only `true`, `false`, `null` and decimal numbers mean something else than their text, keys are
always text as written, and everything that would surprise is refused in one sentence. What was written is never repeated in an
error, because it may be a secret.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.core.errors import ConfigError

MOST_BYTES = 4_000_000
MOST_DEPTH = 40
MOST_CHARACTERS = 8_000_000
"""After every alias has been followed; the nodes count as one character each."""

INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))([eE][-+]?[0-9]{1,3})?")
ZERO_FIRST = re.compile(r"[-+]?0[0-9]+")
WORDS: Mapping[str, bool | None] = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}

Path_ = tuple[str | int, ...]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content as plain data, and the line (from 1) where each thing in it stands."""

    where: str
    data: Any
    lines: Mapping[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """Return the line of the thing at this path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def wrong(self, path: Path_, sentence: str) -> ConfigError:
        """Return the error to raise about the thing at this path: "file, line 3: sentence"."""
        return ConfigError(f"{self.where}, line {self.line(path)}: {sentence}")


def load_file(path: Path) -> Document:
    """Read one YAML file.

    Raises:
        ConfigError: it cannot be read, is empty, or is not the YAML described above.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}.") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    return load(raw, where=str(path))


def load(raw: bytes | str, *, where: str) -> Document:
    """Read YAML from memory; `where` is what errors call it.

    Raises:
        ConfigError: it is empty, too large, or not the YAML described above.
    """
    text = _decoded(raw, where)
    reader = _Reader(where)
    try:
        data = reader.read(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        raise _grammar(error, text, where) from None
    except yaml.YAMLError:
        raise ConfigError(f"{where} holds a control character that YAML does not allow.") from None
    return Document(where, data, reader.lines)


def _decoded(raw: bytes | str, where: str) -> str:
    encoded = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    if len(encoded) > MOST_BYTES:
        raise ConfigError(f"{where} is larger than {MOST_BYTES // 1_000_000} MB.")
    try:
        return encoded.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = encoded.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"{where}, line {line}: this is not UTF-8 text.") from None


def _grammar(error: yaml.MarkedYAMLError, text: str, where: str) -> ConfigError:
    """The parser's own words, without its quotes of the file; what never ends is told where it begins."""
    problem = re.sub(r"\s+", " ", error.problem or "this is not YAML").rstrip(".")
    endless = "end of stream" in problem and error.context_mark is not None
    mark = error.context_mark if endless else error.problem_mark or error.context_mark
    line = mark.line if mark else 0
    written = [*text.split("\n"), ""][line]
    if "\t" in written[: len(written) - len(written.lstrip())]:
        problem = "a tab is used for indentation; YAML wants spaces"
    return ConfigError(f"{where}, line {line + 1}: {problem}.")


@dataclass(slots=True)
class _Reader:
    """Builds plain data from parser events; events come one by one, so a deep file cannot exhaust the stack first."""

    where: str
    lines: dict[Path_, int] = field(default_factory=dict)
    anchors: dict[str, tuple[Any, int, int]] = field(default_factory=dict)
    characters: int = 0
    deepest: int = 0

    def read(self, events: Iterator[Any]) -> Any:
        next(events)  # the stream's start
        if isinstance(next(events), yaml.StreamEndEvent):
            raise ConfigError(f"{self.where} is empty.")
        data = self._node(next(events), events, ())
        next(events)  # the document's end
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            raise self._wrong(after, "a second document starts here; one file holds one document")
        return data

    def _node(self, event: Any, events: Iterator[Any], path: Path_) -> Any:
        self.lines.setdefault(path, event.start_mark.line + 1)
        self._dig(event, len(path))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, len(path))
        if event.tag is not None and event.tag != "!":
            raise self._wrong(event, "tags (words that start with '!') are not allowed")
        size, above, self.deepest = self.characters, self.deepest, len(path)
        self._grow(event, 1)
        data = self._content(event, events, path)
        if event.anchor:
            self.anchors[event.anchor] = (data, self.characters - size, self.deepest - len(path))
        self.deepest = max(self.deepest, above)
        return data

    def _content(self, event: Any, events: Iterator[Any], path: Path_) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            self._grow(event, len(event.value))
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, path)
        return self._mapping(events, path)

    def _alias(self, event: Any, depth: int) -> Any:
        if event.anchor not in self.anchors:
            raise self._wrong(event, "this alias (*) names nothing that stands before it")
        data, size, height = self.anchors[event.anchor]
        self._grow(event, size)
        self._dig(event, depth + height)
        return data

    def _dig(self, event: Any, depth: int) -> None:
        self.deepest = max(self.deepest, depth)
        if depth > MOST_DEPTH:
            raise self._wrong(event, f"this is nested more than {MOST_DEPTH} levels deep")

    def _grow(self, event: Any, characters: int) -> None:
        self.characters += characters
        if self.characters > MOST_CHARACTERS:
            raise self._wrong(event, "aliases make this file grow beyond all reason")

    def _sequence(self, events: Iterator[Any], path: Path_) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            items.append(self._node(event, events, (*path, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], path: Path_) -> dict[str, Any]:
        pairs: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._key(event, pairs)
            self.lines[*path, key] = event.start_mark.line + 1
            self._grow(event, len(key))
            pairs[key] = self._node(next(events), events, (*path, key))
        return pairs

    def _key(self, event: Any, pairs: Mapping[str, Any]) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag not in (None, "!") or event.anchor:
            raise self._wrong(event, "a key must be plain text")
        key = str(event.value)
        if key == "<<" and not event.style:
            raise self._wrong(event, "merge keys (<<) are not allowed; write the settings out")
        if key in pairs:
            raise self._wrong(event, f"the key {_quoted(key)} stands here a second time")
        return key

    def _scalar(self, event: Any) -> str | int | float | bool | None:
        text: str = event.value
        if event.style or event.tag == "!":
            return text
        if text in WORDS:
            return WORDS[text]
        if INTEGER.fullmatch(text):
            return int(text)
        if FLOAT.fullmatch(text):
            return self._float(event, float(text))
        if ZERO_FIRST.fullmatch(text) or (text.lstrip("+-").isdigit() and len(text) > 17):
            raise self._wrong(event, "this number can be read in two ways; put it in quotes if it is a name")
        return text

    def _float(self, event: Any, number: float) -> float:
        if abs(number) > 1e300:
            raise self._wrong(event, "this number is too large")
        return number

    def _wrong(self, event: Any, sentence: str) -> ConfigError:
        return ConfigError(f"{self.where}, line {event.start_mark.line + 1}: {sentence}.")


def _quoted(key: str) -> str:
    """A key as an error shows it: short, printable, in quotes."""
    shown = "".join(c if c.isprintable() else "�" for c in key[:60])
    return f"'{shown}…'" if len(key) > 60 else f"'{shown}'"
