"""Each limit of Block Kit has a case here: just fits, and just does not."""

import pytest

from bot.simulator.blocks import check_message, check_view, with_ids
from bot.simulator.errors import SlackError


def plain(text="x"):
    return {"type": "plain_text", "text": text}


def mrkdwn(text="x"):
    return {"type": "mrkdwn", "text": text}


def section(text="x", **more):
    return {"type": "section", "text": mrkdwn(text), **more}


def button(text="Go", **more):
    return {"type": "button", "text": plain(text), "action_id": "go", **more}


def actions(*elements):
    return {"type": "actions", "elements": list(elements)}


def option(number=0, **more):
    return {"text": plain(f"o{number}"), "value": f"v{number}", **more}


def select(count):
    return {"type": "static_select", "action_id": "pick", "options": [option(n) for n in range(count)]}


def confirm(**more):
    return {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}


def table(rows, columns):
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "c"}] * columns for _ in range(rows)]}


def data_table(rows, columns=2, **more):
    head = [{"type": "raw_text", "text": "h"}] * columns
    body = [[{"type": "raw_number", "value": 1}] * columns for _ in range(rows)]
    return {"type": "data_table", "caption": "c", "rows": [head, *body], **more}


def chart(series=1, points=1, kind="line", title="t"):
    data = [{"label": f"p{n}", "value": n} for n in range(points)]
    plot = {"type": kind, "series": [{"name": f"s{n}", "data": data} for n in range(series)]}
    plot["axis_config"] = {"categories": [f"p{n}" for n in range(points)]}
    return {"type": "data_visualization", "title": title, "chart": plot}


def pie(segments):
    return {
        "type": "data_visualization",
        "title": "t",
        "chart": {"type": "pie", "segments": [{"label": f"s{n}", "value": 1} for n in range(segments)]},
    }


def rich(*spans):
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(spans)}]}


def card(**more):
    return {"type": "card", "title": mrkdwn(), **more}


def modal(*blocks, **more):
    return {"type": "modal", "title": plain("t"), "submit": plain("ok"), "blocks": list(blocks), **more}


def text_input(**more):
    element = {"type": "plain_text_input", "action_id": "typed", **more}
    return {"type": "input", "label": plain("l"), "element": element}


def image(**more):
    return {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a", **more}


FITS = {
    "no block at all": [],
    "50 blocks": [{"type": "divider"}] * 50,
    "section of 3,000": [section("x" * 3000)],
    "10 fields of 1,000": [{"type": "section", "fields": [mrkdwn("x" * 1000)] * 10}],
    "header of 150": [{"type": "header", "text": plain("x" * 150)}],
    "10 in a context": [{"type": "context", "elements": [mrkdwn()] * 10}],
    "25 in actions": [actions(*[button(action_id=f"a{n}") for n in range(25)])],
    "button at its limits": [actions(button("x" * 75, value="v" * 2000, action_id="a" * 255))],
    "confirm at its limits": [
        actions(button(confirm=confirm(title=plain("x" * 100), text=mrkdwn("x" * 300), confirm=plain("x" * 30))))
    ],
    "menu of 100": [actions(select(100))],
    "table of 100 by 20": [table(100, 20)],
    "data table of 100 rows": [data_table(100)],
    "two charts": [chart(6, 20), pie(6)],
    "markdown of 12,000": [{"type": "markdown", "text": "x" * 12_000}],
    "alt text of 2,000": [image(alt_text="x" * 2000)],
    "rich text": [rich({"type": "text", "text": "x", "style": {"bold": True}}, {"type": "user", "user_id": "U1"})],
    "carousel of ten cards": [{"type": "carousel", "elements": [card()] * 10}],
    "container": [{"type": "container", "title": plain(), "child_blocks": [section()] * 10, "is_collapsible": True}],
    "plan": [{"type": "plan", "title": "p", "tasks": [{"type": "task_card", "task_id": "1", "title": "t", "status": "complete"}]}],
    "input in a message": [text_input()],
    "same action_id in two blocks": [actions(button()), actions(button())],
    "video": [
        {
            "type": "video",
            "title": plain(),
            "alt_text": "a",
            "thumbnail_url": "https://example.com/t",
            "video_url": "https://example.com/v",
        }
    ],
    "feedback": [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "positive_button": {"text": plain(), "value": "1"},
                    "negative_button": {"text": plain(), "value": "0"},
                }
            ],
        }
    ],
}

# What is refused → where Slack points, and a part of what it says.
REFUSED = {
    "51 blocks": ([{"type": "divider"}] * 51, "/blocks", "no more than 50 items"),
    "no type": ([{"text": "x"}], "/blocks/0", "missing required field: type"),
    "unknown block": ([{"type": "banner"}], "/blocks/0/type", "unsupported type: banner"),
    "no object": (["hello"], "/blocks/0", "must provide an object"),
    "unknown key": ([section(colour="red")], "/blocks/0", "invalid additional property: colour"),
    "section of 3,001": ([section("x" * 3001)], "/blocks/0/text/text", "less than 3001"),
    "empty section": ([section("")], "/blocks/0/text/text", "more than 0"),
    "section without text": ([{"type": "section"}], "/blocks/0", "text, fields"),
    "text is a number": ([section(7)], "/blocks/0/text/text", "must provide a string"),
    "text without object": ([{"type": "section", "text": "x"}], "/blocks/0/text", "must provide an object"),
    "11 fields": ([{"type": "section", "fields": [mrkdwn()] * 11}], "/blocks/0/fields", "no more than 10"),
    "field of 2,001": ([{"type": "section", "fields": [mrkdwn("x" * 2001)]}], "/fields/0/text", "less than 2001"),
    "header of 151": ([{"type": "header", "text": plain("x" * 151)}], "/blocks/0/text/text", "less than 151"),
    "header in mrkdwn": ([{"type": "header", "text": mrkdwn()}], "/blocks/0/text/type", "unsupported type: mrkdwn"),
    "11 in a context": ([{"type": "context", "elements": [mrkdwn()] * 11}], "/elements", "no more than 10"),
    "context with a button": ([{"type": "context", "elements": [button()]}], "/elements/0/type", "unsupported type"),
    "26 in actions": ([actions(*[button(action_id=f"a{n}") for n in range(26)])], "/elements", "no more than 25"),
    "no actions": ([actions()], "/elements", "at least 1"),
    "button text of 76": ([actions(button("x" * 76))], "/elements/0/text/text", "less than 76"),
    "button in mrkdwn": ([actions({**button(), "text": mrkdwn()})], "/elements/0/text/type", "unsupported type"),
    "button value of 2,001": ([actions(button(value="v" * 2001))], "/elements/0/value", "less than 2001"),
    "button url of 3,001": ([actions(button(url="https://" + "x" * 3000))], "/elements/0/url", "less than 3001"),
    "button url without scheme": ([actions(button(url="example.com"))], "/elements/0/url", "invalid url"),
    "button style": ([actions(button(style="green"))], "/elements/0/style", "valid enum"),
    "action_id of 256": ([actions(button(action_id="a" * 256))], "/elements/0/action_id", "less than 256"),
    "block_id of 256": ([section(block_id="b" * 256)], "/blocks/0/block_id", "less than 256"),
    "doubled block_id": ([section(block_id="b"), section(block_id="b")], "/blocks/1/block_id", "already exists"),
    "doubled action_id": ([actions(button(), button())], "/blocks/0", "already exists"),
    "confirm title of 101": ([actions(button(confirm=confirm(title=plain("x" * 101))))], "/confirm/title/text", "than 101"),
    "confirm text of 301": ([actions(button(confirm=confirm(text=mrkdwn("x" * 301))))], "/confirm/text/text", "than 301"),
    "confirm button of 31": ([actions(button(confirm=confirm(confirm=plain("x" * 31))))], "/confirm/confirm/text", "than 31"),
    "deny button of 31": ([actions(button(confirm=confirm(deny=plain("x" * 31))))], "/confirm/deny/text", "than 31"),
    "menu of 101": ([actions(select(101))], "/elements/0/options", "no more than 100"),
    "menu without options": ([actions({"type": "static_select"})], "/elements/0", "options, option_groups"),
    "option text of 76": (
        [actions({"type": "static_select", "options": [option(text=plain("x" * 76))]})],
        "/options/0/text/text",
        "less than 76",
    ),
    "option value of 151": (
        [actions({"type": "static_select", "options": [option(value="v" * 151)]})],
        "/options/0/value",
        "less than 151",
    ),
    "6 in an overflow": ([actions({"type": "overflow", "options": [option(n) for n in range(6)]})], "/options", "than 5"),
    "11 checkboxes": ([actions({"type": "checkboxes", "options": [option(n) for n in range(11)]})], "/options", "than 10"),
    "table of 101 rows": ([table(101, 2)], "/blocks/0/rows", "no more than 100"),
    "table of 21 columns": ([table(2, 21)], "/blocks/0/rows/0", "no more than 20"),
    "ragged table": (
        [{"type": "table", "rows": [table(1, 2)["rows"][0], table(1, 3)["rows"][0]]}],
        "/blocks/0/rows",
        "same number of cells",
    ),
    "data table without rows": ([data_table(0)], "/blocks/0/rows", "at least 2"),
    "data table of 101 rows": ([data_table(101)], "/blocks/0/rows", "no more than 101"),
    "data table pages of 101": ([data_table(1, page_size=101)], "/page_size", "between 1 and 100"),
    "data table with a rich header": (
        [{"type": "data_table", "caption": "c", "rows": [[rich()], [rich()]]}],
        "/rows/0",
        "rich_text is not allowed",
    ),
    "data table of 10,001 characters": (
        [{"type": "data_table", "caption": "c", "rows": [[{"type": "raw_text", "text": "x" * 5001}]] * 2}],
        "/rows",
        "less than 10001",
    ),
    "three charts": ([chart(), chart(), pie(1)], "/blocks", "no more than 2"),
    "chart title of 51": ([chart(title="x" * 51)], "/title", "less than 51"),
    "chart of 7 series": ([chart(series=7)], "/chart/series", "no more than 6"),
    "chart of 21 points": ([chart(points=21)], "/data", "no more than 20"),
    "pie of 7": ([pie(7)], "/segments", "no more than 6"),
    "chart of no kind": ([chart(kind="scatter")], "/chart/type", "unsupported type"),
    "alt text of 2,001": ([image(alt_text="x" * 2001)], "/alt_text", "less than 2001"),
    "no alt text": ([{"type": "image", "image_url": "https://example.com/a.png"}], "/blocks/0", "alt_text"),
    "image without address": ([{"type": "image", "alt_text": "a"}], "/blocks/0", "image_url, slack_file"),
    "markdown over 12,000 in all": (
        [{"type": "markdown", "text": "x" * 6001}, {"type": "markdown", "text": "x" * 6000}],
        "/blocks",
        "less than 12001",
    ),
    "11 cards": ([{"type": "carousel", "elements": [card()] * 11}], "/elements", "no more than 10"),
    "card without content": ([{"type": "card"}], "/blocks/0", "hero_image"),
    "card with three buttons": (
        [card(actions=[button(action_id=f"a{n}") for n in range(3)])],
        "/actions",
        "no more than 2",
    ),
    "container in a container": (
        [{"type": "container", "title": plain(), "child_blocks": [{"type": "container"}]}],
        "/child_blocks/0/type",
        "unsupported type",
    ),
    "11 in a container": (
        [{"type": "container", "title": plain(), "child_blocks": [section()] * 11}],
        "/child_blocks",
        "no more than 10",
    ),
    "two plans": ([{"type": "plan", "title": "p"}, {"type": "plan", "title": "q"}], "/blocks", "no more than 1 plan"),
    "alert in a message": ([{"type": "alert", "text": plain()}], "/blocks/0/type", "unsupported type: alert"),
    "file": ([{"type": "file", "external_id": "x", "source": "remote"}], "/blocks/0/type", "unsupported type: file"),
    "unknown span": ([rich({"type": "blink", "text": "x"})], "/elements/0/type", "unsupported type: blink"),
    "infinite number": (
        [{"type": "table", "rows": [[{"type": "raw_number", "value": float("inf")}]]}],
        "/value",
        "must provide a number",
    ),
}

REFUSED_VIEWS = {
    "101 blocks": (modal(*[{"type": "divider"}] * 101), "/view/blocks", "no more than 100"),
    "title of 25": (modal(title=plain("x" * 25)), "/view/title/text", "less than 25"),
    "submit of 25": (modal(submit=plain("x" * 25)), "/view/submit/text", "less than 25"),
    "close of 25": (modal(close=plain("x" * 25)), "/view/close/text", "less than 25"),
    "private_metadata of 3,001": (modal(private_metadata="x" * 3001), "/view/private_metadata", "less than 3001"),
    "callback_id of 256": (modal(callback_id="x" * 256), "/view/callback_id", "less than 256"),
    "no title": ({"type": "modal", "blocks": []}, "/view", "missing required field: title"),
    "no blocks": ({"type": "modal", "title": plain()}, "/view", "missing required field: blocks"),
    "input without submit": (modal(text_input(), submit=None), "/view", "missing required field: submit"),
    "unknown key": (modal(color="red"), "/view", "invalid additional property: color"),
    "home instead": ({"type": "home", "blocks": []}, "/view/type", "unsupported type: home"),
    "table in a modal": (modal(table(2, 2)), "/view/blocks/0/type", "unsupported type: table"),
    "markdown in a modal": (modal({"type": "markdown", "text": "x"}), "/view/blocks/0/type", "unsupported type"),
    "bad input": (modal(text_input(max_length=3001)), "/element/max_length", "between 1 and 3000"),
    "no label": (modal({"type": "input", "element": {"type": "datepicker"}}), "/view/blocks/0", "label"),
}


@pytest.mark.parametrize("blocks", FITS.values(), ids=FITS.keys())
def test_what_fits_is_accepted(blocks):
    assert check_message(blocks) is None


@pytest.mark.parametrize(("blocks", "where", "what"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_in_slacks_words(blocks, where, what):
    with pytest.raises(SlackError) as refused:
        check_message(blocks)

    messages = refused.value.body["response_metadata"]["messages"]
    assert refused.value.code == "invalid_blocks"
    assert any(f"{where}]" in message and what in message for message in messages), messages


@pytest.mark.parametrize(("view", "where", "what"), REFUSED_VIEWS.values(), ids=REFUSED_VIEWS.keys())
def test_a_modal_that_does_not_fit_is_refused(view, where, what):
    with pytest.raises(SlackError) as refused:
        check_view(view, "modal")

    messages = refused.value.body["response_metadata"]["messages"]
    assert refused.value.code == "invalid_arguments"
    assert any(f"{where}]" in message and what in message for message in messages), messages


def test_a_view_may_hold_100_blocks_and_its_title_24_characters():
    view = modal(*[section(f"{n}") for n in range(100)], title=plain("x" * 24), private_metadata="x" * 3000)

    assert check_view(view, "modal") is None


def test_an_alert_belongs_into_a_modal():
    assert check_view(modal({"type": "alert", "text": plain(), "level": "warning"}), "modal") is None


def test_a_home_tab_takes_tables():
    assert check_view({"type": "home", "blocks": [table(2, 2), text_input()]}, "home") is None


def test_a_view_of_more_than_250_kb_is_too_large():
    blocks = [section("x" * 2900) for _ in range(90)]

    with pytest.raises(SlackError, match="view_too_large"):
        check_view(modal(*blocks), "modal")


def test_a_message_of_more_than_13200_characters_is_too_long():
    with pytest.raises(SlackError, match="msg_blocks_too_long"):
        check_message([section("x" * 3000)] * 5)


@pytest.mark.parametrize("second", [table(2, 2), data_table(2)], ids=["table", "data table"])
def test_a_message_holds_one_table_only(second):
    with pytest.raises(SlackError, match="invalid_attachments") as refused:
        check_message([table(2, 2), second])

    assert "only_one_table_allowed" in str(refused.value.body)


@pytest.mark.parametrize("blocks", ["text", {"type": "section"}, 7])
def test_blocks_that_are_no_array_have_the_wrong_format(blocks):
    with pytest.raises(SlackError, match="invalid_blocks_format"):
        check_message(blocks)


def test_a_view_that_is_no_object_is_refused():
    with pytest.raises(SlackError, match="invalid_arguments"):
        check_view([], "modal")


def test_blocks_and_buttons_without_ids_get_ids():
    named = with_ids([{"type": "divider", "block_id": "b0"}, actions({"type": "button", "text": plain()})])

    assert named[0]["block_id"] == "b0"
    assert named[1]["block_id"] not in {"", "b0"}
    assert named[1]["elements"][0]["action_id"]


def test_given_ids_stay():
    named = with_ids([{**actions(button()), "block_id": "mine"}])

    assert (named[0]["block_id"], named[0]["elements"][0]["action_id"]) == ("mine", "go")
