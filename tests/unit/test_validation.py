from datetime import datetime, timedelta
from enum import StrEnum

import pytest
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from bot.core.errors import ConfigError
from bot.validation import Duration, duration, problems, size, validated
from bot.yaml import load


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    name: str
    colour: Colour = Colour.RED
    share: float = Field(default=0.5, ge=0, le=1)
    every: Duration = timedelta(minutes=5)
    since: AwareDatetime | None = None
    on: bool = False
    tags: tuple[str, ...] = ()


class Whole(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    parts: tuple[Part, ...]


def check(text):
    return validated(load(text, where="aiops.yaml"), Whole)


def test_a_right_file_becomes_its_model():
    part = check("parts:\n- {name: a, colour: blue, every: 1h30m, since: 2013-04-01T00:00:00Z, tags: [x]}").parts[0]

    assert (part.colour, part.every, part.tags) == (Colour.BLUE, timedelta(minutes=90), ("x",))
    assert part.since == datetime.fromisoformat("2013-04-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("{nam: a}", "'name' is missing in parts.0. (1 more in this file.)"),
        ("{name: a, shares: 1}", "there is no setting 'shares' in parts.0; perhaps 'share' is meant."),
        ("{name: a, zzz: 1}", "there is no setting 'zzz' in parts.0."),
        ("{name: 1.10}", "parts.0.name must be text; put it in quotes."),
        ("{name: a, colour: green}", "parts.0.colour must be one of 'red' or 'blue'."),
        ("{name: a, share: 2}", "parts.0.share must be at most 1."),
        ("{name: a, share: '0.5'}", "parts.0.share must be a number."),
        ("{name: a, on: yes}", "parts.0.on must be true or false."),
        ("{name: a, tags: x}", "parts.0.tags must be a list."),
        ("{name: a, every: 5}", "parts.0.every must be a length of time with its unit, such as 20s, 5m, 1h30m or 7d."),
        ("{name: a, since: 2013-04-01T00:00:00}", "parts.0.since must be a time with its zone, such as 2013-04-01T00:00:00Z."),
        ("just text", "parts.0 must be a mapping (name: value)."),
    ],
)
def test_each_mistake_is_one_sentence_with_file_and_line(line, sentence):
    with pytest.raises(ConfigError) as wrong:
        check(f"parts:\n\n- {line}\n")

    assert str(wrong.value) == f"aiops.yaml, line 3: {sentence}"


def test_every_mistake_is_listed_by_line():
    document = load("parts:\n- {name: a, on: 3}\n- {colour: red}\nextra: 1", where="f")

    assert [problem.partition(":")[0] for problem in problems(document, Whole)] == ["f, line 2", "f, line 3", "f, line 4"]


def test_a_right_file_has_no_problems():
    assert problems(load("parts: []", where="f"), Whole) == []


def test_a_misplaced_secret_is_never_repeated():
    with pytest.raises(ConfigError) as wrong:
        check("parts:\n- {name: a, share: xoxb-secret, colour: xoxb-secret, since: xoxb-secret}")

    assert "xoxb" not in str(wrong.value)


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("20 s", 20), ("5m", 300), ("5 min", 300), ("1h30m", 5400), ("7d", 604800), ("0.5s", 0.5)]
)
def test_a_duration_is_a_number_with_its_unit(text, seconds):
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["5", "-5m", "0s", "", "soon", "1:30", "1.5", 5, 5.0, None, True, "11000d", "9" * 400 + "d"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="with its unit"):
        duration(text)


@pytest.mark.parametrize(
    ("given", "amount"),
    [(5, 5.0), (0.25, 0.25), ("8GiB", 8 * 1_024**3), ("512 MB", 512e6), ("1.5TiB", 1.5 * 1_024**4), ("1kB", 1e3)],
)
def test_a_size_is_a_number_or_bytes_with_their_unit(given, amount):
    assert size(given) == amount


@pytest.mark.parametrize(
    "given", ["8", "8G", "GiB", "-8GiB", "1e3GiB", "", 0, -1, True, None, float("nan"), float("inf"), "0GiB", [8]]
)
def test_anything_else_is_no_size(given):
    with pytest.raises(ValueError, match="must be"):
        size(given)
