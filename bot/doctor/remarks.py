"""A remark: one judged line of the doctor, with the way out."""

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "hint", "problem"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What was looked at, how it is, and how to mend it. A hint never fails the doctor: it may be meant so."""

    topic: str
    state: State
    words: str
    mend: str = ""

    @property
    def data(self) -> dict[str, str]:
        """It as plain data."""
        return asdict(self)


def ok(topic: str, words: str) -> Remark:
    """Return that it is well."""
    return Remark(topic, "ok", words)


def hint(topic: str, words: str, mend: str) -> Remark:
    """Return that it may be meant so, but probably is not."""
    return Remark(topic, "hint", words, mend)


def problem(topic: str, words: str, mend: str = "") -> Remark:
    """Return that it is wrong."""
    return Remark(topic, "problem", words, mend)
