import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import ConfigError
from bot.yaml import load, load_file


def read(text):
    return load(text, where="aiops.yaml").data


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("y", "y"),
        ("1:30", "1:30"),
        ("2013-04-01", "2013-04-01"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        (".inf", ".inf"),
        ("'true'", "true"),
        ("! 12", "12"),
        ("v1.10", "v1.10"),
    ],
)
def test_what_yaml_would_turn_into_something_else_stays_text(written, meant):
    assert read(f"it: {written}") == {"it": meant}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("0.05", 0.05),
        ("1e-3", 0.001),
        (".5", 0.5),
    ],
)
def test_true_false_null_and_decimal_numbers_keep_their_meaning(written, meant):
    assert read(f"it: {written}") == {"it": meant}


def test_keys_are_text_as_written():
    assert read("no: 1\n1.10: 2\n7: 3") == {"no": 1, "1.10": 2, "7": 3}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: 1\nb: 2\na: 3", "aiops.yaml, line 3: the key 'a' stands here a second time."),
        ("a:\n  it: 010", "aiops.yaml, line 2: this number can be read in two ways; put it in quotes if it is a name."),
        ("it: 12345678901234567890", "aiops.yaml, line 1: this number can be read in two ways; put it in quotes if it is a name."),
        ("it: 1e301", "aiops.yaml, line 1: this number is too large."),
        ("a: 1\nb: !!python/object/apply:os.system [ls]", "aiops.yaml, line 2: tags (words that start with '!') are not allowed."),
        ("a: &x {b: 1}\nc:\n  <<: *x", "aiops.yaml, line 3: merge keys (<<) are not allowed; write the settings out."),
        ("a: 1\n? [1, 2]\n: 3", "aiops.yaml, line 2: a key must be plain text."),
        ("a: 1\n---\nb: 2", "aiops.yaml, line 2: a second document starts here; one file holds one document."),
        ("a: *b", "aiops.yaml, line 1: this alias (*) names nothing that stands before it."),
        ("a: &a [*a]", "aiops.yaml, line 1: this alias (*) names nothing that stands before it."),
        ("a:\n\tb: 1", "aiops.yaml, line 2: a tab is used for indentation; YAML wants spaces."),
        ("", "aiops.yaml is empty."),
        ("# only a comment\n", "aiops.yaml is empty."),
        ("a: \x07", "aiops.yaml holds a control character that YAML does not allow."),
        (b"a: 1\nb: \xff", "aiops.yaml, line 2: this is not UTF-8 text."),
        ("[" * 50 + "]" * 50, "aiops.yaml, line 1: this is nested more than 40 levels deep."),
        ("a" * 4_000_001, "aiops.yaml is larger than 4 MB."),
    ],
)
def test_each_surprise_is_refused_in_one_sentence_with_its_line(text, sentence):
    with pytest.raises(ConfigError) as refused:
        read(text)

    assert str(refused.value) == sentence


def test_a_grammar_error_names_the_line_and_never_quotes_the_file():
    with pytest.raises(ConfigError, match=r"^aiops.yaml, line 2: ") as refused:
        read("a: 1\ntoken: 'xoxb-secret\nb: [")

    assert "xoxb" not in str(refused.value)


def test_an_alias_gives_the_same_value_again():
    assert read("a: &x [1, 2]\nb: *x") == {"a": [1, 2], "b": [1, 2]}


def test_an_alias_bomb_is_refused_before_it_grows():
    lines = ["a0: &a0 ['ha', 'ha', 'ha', 'ha', 'ha', 'ha', 'ha', 'ha', 'ha']"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    started = time.monotonic()

    with pytest.raises(ConfigError, match="aliases make this file grow beyond all reason"):
        read("\n".join(lines))
    assert time.monotonic() - started < 2


def test_aliases_cannot_stack_depth_either():
    lines = ["a0: &a0 " + "[" * 30 + "]" * 30, "a1: " + "[" * 30 + "*a0" + "]" * 30]

    with pytest.raises(ConfigError, match="nested more than 40 levels deep"):
        read("\n".join(lines))


def test_the_line_of_a_thing_that_is_not_there_is_the_line_of_what_is_around_it():
    document = load("a:\n  - x: 1\n  - y: 2\n", where="f")

    assert [document.line(("a", 1, "y")), document.line(("a", 1, "z", 3)), document.line(("q",))] == [3, 3, 1]


def test_an_error_about_a_place_carries_file_and_line():
    assert str(load("a:\n  b: 1", where="f").wrong(("a", "b"), "too small.")) == "f, line 2: too small."


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match=r"^There is no file .*aiops\.yaml\.$"):
        load_file(tmp_path / "aiops.yaml")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_file(tmp_path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path):
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: 1")

    assert load_file(tmp_path / "a.yaml").data == {"a": 1}


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_and_never_crashes(text):
    with contextlib.suppress(ConfigError):
        assert json.dumps(load(text, where="f").data, allow_nan=False)


LETTERS = st.text(st.characters(categories=("L", "N", "P")))


@given(
    st.recursive(
        st.none() | st.booleans() | LETTERS | st.integers(-(10**9), 10**9),
        lambda inner: st.lists(inner) | st.dictionaries(LETTERS, inner),
        max_leaves=20,
    )
)
def test_json_is_read_as_json_means_it(data):
    assert load(json.dumps({"it": data}, ensure_ascii=False), where="f").data == {"it": data}
