"""What people read: numbers, shares, names and lengths of time as they would write them."""

from datetime import timedelta

import pytest

from bot.core.words import amount, between, duration, number, quoted, several, some, unit_after


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "NaN"),
        (0.0, "0"),
        (0.0004, "0"),
        (-0.0004, "0"),
        (0.0005, "0.0005"),
        (999_999_999_999_999.0, "999,999,999,999,999"),
        (1e20, "1e+20"),
        (float("-inf"), "−inf"),
        (0.08321, "0.0832"),
        (-0.08321, "−0.0832"),
        (4.2149, "4.21"),
        (999.4, "999"),
        (999.6, "1,000"),
        (12_340.4, "12,340"),
        (-12_340.4, "−12,340"),
    ],
)
def test_a_number_has_three_digits_and_large_ones_are_in_full(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(minutes=2, seconds=10), "2 min 10 s"),
        (timedelta(hours=3, minutes=5, seconds=9), "3 h 5 min"),
        (timedelta(days=2, hours=4, minutes=59), "2 d 4 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_a_length_of_time_is_said_in_its_two_largest_parts(length, text):
    assert duration(length) == text


@pytest.mark.parametrize(
    ("names", "text"), [([], ""), (["a", "b", "c"], "a, b, c"), (["a", "b", "c", "d", "e"], "a, b, c and 2 more")]
)
def test_many_names_are_a_few_and_a_count(names, text):
    assert some(names) == text


@pytest.mark.parametrize(
    ("unit", "value", "words"),
    [
        ("points", 0.1034, "10.3 points"),
        ("points", -0.00004, "0 points"),
        ("points", -0.05, "−5 points"),
        ("points", None, "–"),
        ("share", 0.786, "78.6 %"),
        ("share", 1.0, "100 %"),
        ("share", float("nan"), "NaN"),
        ("nats", 9.29, "9.29"),
    ],
)
def test_a_share_is_told_in_percent_and_a_difference_of_shares_in_points(unit, value, words):
    assert amount(value, unit) == words


@pytest.mark.parametrize(
    ("unit", "low", "high", "words"),
    [
        ("points", 0.0501, 0.15, "[5, 15]"),
        ("nats", 0.2, 0.31, "[0.2, 0.31]"),
        ("share", None, 0.5, "[–, 0.5]"),
        ("share", 0.5, None, "[0.5, –]"),
    ],
)
def test_an_interval_is_told_in_the_unit_of_its_value(unit, low, high, words):
    assert between(low, high, unit) == words


@pytest.mark.parametrize(("unit", "left"), [("share", ""), ("points", ""), ("ms", "ms")])
def test_a_unit_is_written_once(unit, left):
    assert unit_after(unit) == left


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("UA", "“UA”"),
        ("", "“”"),
        (" a\n\tb\x00c ", "“a b c”"),
        ("\u202egnirts", "“gnirts”"),
        ("x" * 41, f"“{'x' * 39}…”"),
        ("x" * 40 + " " * 500, f"“{'x' * 39}…”"),
    ],
)
def test_a_name_out_of_data_is_one_short_line_in_quotation_marks(text, told):
    assert quoted(text) == told


@pytest.mark.parametrize(("count", "text"), [(0, "0 models"), (1, "1 model"), (12_000, "12,000 models")])
def test_what_is_counted_agrees_with_its_number(count, text):
    assert several(count, "model") == text
