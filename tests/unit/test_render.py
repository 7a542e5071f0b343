"""What people see: goldens that Slack accepts, hostile data that stays harmless, and a plain message when a template is broken."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.render import Renderer, packaged
from bot.render.hostile import safe
from bot.render.limits import MESSAGE_BLOCKS, MESSAGE_CHARACTERS, characters, clip, fitting, simple
from bot.render.parts import actions, section, table
from bot.render.words import moment, number, span
from bot.simulator.blocks import check_message, check_view, parts

GOLDENS = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted((Path(__file__).parent / "goldens").glob("*.json"))
}
RENDERER = Renderer()
NASTY = [
    "<!channel>",
    "<@U00000000ZZ>",
    "<https://evil.example|click>",
    "<!here|x>",
    "&lt;!channel&gt;",
    "a]}\n- type: divider",
    "{{ 7*7 }}",
    '"',
    "`" * 4,
]
HOSTILE = st.one_of(
    st.sampled_from(NASTY), st.text(max_size=60), st.text(alphabet="<!@#&;>|*_`{}\"'\n\\", min_size=1, max_size=400)
)
NOT_OURS = re.compile(r"<(?!!date\^\d+\^[^<>|]*\|[^<>|]*>)[^<>]*>")


def poisoned(value, hostile, *, key=""):
    """Return the data with every text replaced that is no id, time or choice of ours."""
    kept = {"state", "standing", "verdict", "action", "style", "by", "emoji", "severity"}
    if isinstance(value, dict):
        return {k: poisoned(v, hostile, key=k) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v, hostile, key=key) for v in value]
    return value if not isinstance(value, str) or key in kept or key.endswith(("_by", "_mention", "at", "value")) else hostile


def accepted(name, shown):
    blocks = json.loads(json.dumps(list(shown.blocks)))
    if name == "home":
        check_view({"type": "home", "blocks": blocks}, "home")
    else:
        check_message(blocks)
        check_message(json.loads(json.dumps(list(shown.simple))))


@pytest.mark.parametrize("name", GOLDENS)
def test_a_message_looks_as_it_was_designed(name):
    golden = GOLDENS[name]
    shown = RENDERER.render(golden["template"], golden["data"], view=name == "home")

    assert (shown.problem, shown.text, list(shown.blocks)) == ("", golden["text"], golden["blocks"])


@pytest.mark.parametrize("name", GOLDENS)
def test_slack_accepts_a_message_with_tables_and_without(name):
    golden = GOLDENS[name]
    shown = RENDERER.render(golden["template"], golden["data"], view=name == "home")
    accepted(name, shown)

    assert not [block for block in shown.simple if block["type"] == "table"]


def test_every_template_of_ours_has_a_golden():
    assert {path.stem for path in packaged().glob("*.j2")} == {golden["template"] for golden in GOLDENS.values()}


@pytest.mark.parametrize("name", GOLDENS)
@given(hostile=HOSTILE)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
def test_data_makes_no_mention_no_broadcast_and_no_link(name, hostile):
    golden = GOLDENS[name]
    shown = RENDERER.render(golden["template"], poisoned(golden["data"], hostile), view=name == "home")
    accepted(name, shown)
    allowed = set(NOT_OURS.findall(json.dumps(golden["blocks"], ensure_ascii=False)))
    told = [part["text"] for part in parts(list(shown.blocks)) if part.get("type") == "mrkdwn"]

    assert not {mark for text in [*told, shown.text] for mark in NOT_OURS.findall(text)} - allowed
    assert shown.problem == ""


def test_every_text_is_verbatim_so_that_slack_links_nothing_by_itself():
    shown = RENDERER.render("line", {"emoji": ":memo:", "text": "see https://evil.example", "by": "", "witness": "x"})

    assert all(part["verbatim"] for part in parts(list(shown.blocks)) if part.get("type") == "mrkdwn")


def test_a_mention_that_a_structured_field_names_survives_in_the_text():
    shown = RENDERER.render("line", {"emoji": ":eyes:", "text": "taken by <@U00000000AA>, not <@U00000000ZZ>", "by": "U00000000AA"})

    assert "<@U00000000AA>" in shown.text
    assert "&lt;@U00000000ZZ&gt;" in shown.text


def test_who_must_act_is_mentioned():
    shown = RENDERER.render("line", {"emoji": ":wave:", "text": "handed over", "by": ""}, mention="<!subteam^S0000000MLO>")

    assert "<!subteam^S0000000MLO>" in shown.blocks[0]["text"]["text"]


@pytest.mark.parametrize(
    "broken",
    [
        "{{ not_there }}",
        "{% if %}",
        "text: {{ title }}\nblocks: [",
        "text: hi\nblocks: 3",
        "{{ ''.__class__.__mro__ }}",
        "{{ 'a' * 500000000 }}",
    ],
)
def test_a_broken_template_of_the_user_falls_back_to_ours(tmp_path, broken):
    (tmp_path / "line.j2").write_text(broken)
    shown = Renderer(tmp_path).render("line", {"emoji": ":memo:", "text": "news", "by": ""})

    assert shown.blocks[0]["text"]["text"] == ":memo:  news"


def test_a_template_of_the_user_wins_over_ours(tmp_path):
    (tmp_path / "line.j2").write_text("text: {{ text }}\nblocks:\n  - {{ section('ours: ' ~ text) }}\n")
    shown = Renderer(tmp_path).render("line", {"emoji": ":memo:", "text": "<news>"})

    assert shown.blocks[0]["text"]["text"] == "ours: &lt;news&gt;"


def test_without_any_template_the_news_is_told_in_plain_words():
    shown = RENDERER.render("not_there", {"number": 3, "severity": "SEV1", "title": "<!channel> lost"})
    check_message(list(shown.blocks))

    assert shown.text == "#3 SEV1 · &lt;!channel&gt; lost"
    assert "TemplateNotFound" in shown.problem


@given(st.text(min_size=1, max_size=300), st.integers(10, 60))
def test_a_cut_never_ends_inside_an_entity_or_a_mention(text, most):
    whole = safe({"text": text + "<&>" * 20})["text"]
    cut = clip(whole, most)

    assert len(cut) <= most
    assert re.search(r"&(?!amp;|lt;|gt;)", cut) is None


def test_a_cut_code_block_is_closed_again():
    assert clip("```" + "x" * 100, 40).count("```") == 2


@given(st.integers(0, 120), st.integers(0, 4_000), st.integers(0, 130))
@settings(max_examples=25)
def test_whatever_its_size_a_message_fits(sections, length, rows):
    blocks = [section("x" * length) for _ in range(sections)]
    blocks += [table(["a"] * 25, [["y" * 400] * 25] * rows), table(["b"], [["z"]] * rows)]
    blocks += [actions([{"action": f"a{n}", "text": "t" * 200, "value": "v" * 3_000} for n in range(30)])]
    kept = fitting(blocks)
    check_message(json.loads(json.dumps(kept)))
    check_message(json.loads(json.dumps(simple(kept))))

    assert len(kept) <= MESSAGE_BLOCKS
    assert characters(kept) <= MESSAGE_CHARACTERS + 1_200
    assert kept[-1]["type"] == "actions"


def test_values_that_are_no_plain_json_are_refused_and_the_news_is_still_told():
    shown = RENDERER.render("line", {"emoji": ":memo:", "text": "news", "by": object()})

    assert "news" in shown.text
    assert "cannot be shown" in shown.problem


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (42.4, "42 s"), (252, "4 min 12 s"), (11_100, "3 h 5 min"), (187_200, "2 d 4 h"), (None, "–")],
)
def test_a_length_of_time_is_said_as_people_say_it(seconds, words):
    assert span(seconds) == words


@pytest.mark.parametrize(("value", "words"), [(0.08321, "0.0832"), (12_340.0, "12,340"), (-0.5, "−0.5"), (7, "7"), (None, "–")])
def test_a_number_has_three_digits(value, words):
    assert number(value) == words


def test_a_time_is_told_in_the_readers_own_zone_with_utc_to_fall_back_on():
    assert moment("2026-11-24T00:00:00+00:00", "{time}") == "<!date^1795478400^{time}|2026-11-24 00:00 UTC>"
