"""Block Kit's composition objects and elements as rules: texts, buttons, menus, inputs, rich text."""

from __future__ import annotations

from bot.simulator.rules import Rule, finite, flag, kinds, link, many, needs_one, one_of, string, thing, whole

ACTION_ID = {"action_id": string(255)}


def words(most: int, *, plain: bool = False) -> Rule:
    """Allow a text object of at most `most` characters; `plain` refuses mrkdwn."""
    plain_text = thing({"text": string(most)}, {"emoji": flag})
    mrkdwn = thing({"text": string(most)}, {"verbatim": flag})
    return kinds({"plain_text": plain_text} if plain else {"plain_text": plain_text, "mrkdwn": mrkdwn})


CONFIRM = thing(
    {
        "title": words(100, plain=True),
        "text": words(300),
        "confirm": words(30, plain=True),
        "deny": words(30, plain=True),
    },
    {"style": one_of("primary", "danger")},
)
OPTION = thing({"text": words(75), "value": string(150)}, {"description": words(75), "url": link()})
OPTIONS = many(OPTION, 1, 100)
GROUPS = many(thing({"label": words(75, plain=True), "options": OPTIONS}), 1, 100)
DISPATCH = thing({}, {"trigger_actions_on": many(one_of("on_enter_pressed", "on_character_entered"), 1, 2)})
FILTER = thing(
    {},
    {
        "include": many(one_of("im", "mpim", "private", "public"), 1, 4),
        "exclude_external_shared_channels": flag,
        "exclude_bot_users": flag,
    },
)
SLACK_FILE = thing({}, {"id": string(255), "url": link()}, needs_one("id", "url"))
IMAGE = thing({"alt_text": string(2000)}, {"image_url": link(), "slack_file": SLACK_FILE}, needs_one("image_url", "slack_file"))
BUTTON = thing(
    {"text": words(75, plain=True)},
    {
        **ACTION_ID,
        "value": string(2000),
        "url": link(),
        "style": one_of("primary", "danger"),
        "confirm": CONFIRM,
        "accessibility_label": string(75),
    },
)
_ASK = {**ACTION_ID, "confirm": CONFIRM, "focus_on_load": flag}
_MENU = {**_ASK, "placeholder": words(150, plain=True)}
_MANY = {**_MENU, "max_selected_items": whole(1, 100)}
_HERE = {"default_to_current_conversation": flag, "response_url_enabled": flag}
_TYPED = {**ACTION_ID, "placeholder": words(150, plain=True), "focus_on_load": flag, "dispatch_action_config": DISPATCH}
_STATIC = {"options": OPTIONS, "option_groups": GROUPS}
_IDS = many(string(255), 0, 100)
_LENGTHS = {"min_length": whole(0, 3000), "max_length": whole(1, 3000)}

MENUS: dict[str, Rule] = {
    "static_select": thing({}, {**_MENU, **_STATIC, "initial_option": OPTION}, needs_one("options", "option_groups")),
    "multi_static_select": thing({}, {**_MANY, **_STATIC, "initial_options": OPTIONS}, needs_one("options", "option_groups")),
    "external_select": thing({}, {**_MENU, "min_query_length": whole(0, 100), "initial_option": OPTION}),
    "multi_external_select": thing({}, {**_MANY, "min_query_length": whole(0, 100), "initial_options": OPTIONS}),
    "users_select": thing({}, {**_MENU, "initial_user": string(255)}),
    "multi_users_select": thing({}, {**_MANY, "initial_users": _IDS}),
    "channels_select": thing({}, {**_MENU, "initial_channel": string(255), "response_url_enabled": flag}),
    "multi_channels_select": thing({}, {**_MANY, "initial_channels": _IDS}),
    "conversations_select": thing({}, {**_MENU, **_HERE, "initial_conversation": string(255), "filter": FILTER}),
    "multi_conversations_select": thing(
        {}, {**_MANY, "default_to_current_conversation": flag, "initial_conversations": _IDS, "filter": FILTER}
    ),
}
CHOICES: dict[str, Rule] = {
    "checkboxes": thing({"options": many(OPTION, 1, 10)}, {**_ASK, "initial_options": many(OPTION, 1, 10)}),
    "radio_buttons": thing({"options": many(OPTION, 1, 10)}, {**_ASK, "initial_option": OPTION}),
}
DATES: dict[str, Rule] = {
    "datepicker": thing({}, {**_MENU, "initial_date": string(10, 10)}),
    "timepicker": thing({}, {**_MENU, "initial_time": string(5, 5), "timezone": string(255)}),
    "datetimepicker": thing({}, {**_ASK, "initial_date_time": whole(1_000_000_000, 9_999_999_999)}),
}
TYPED: dict[str, Rule] = {
    "plain_text_input": thing({}, {**_TYPED, **_LENGTHS, "initial_value": string(3000, 0), "multiline": flag}),
    "email_text_input": thing({}, {**_TYPED, "initial_value": string(3000, 0)}),
    "url_text_input": thing({}, {**_TYPED, "initial_value": string(3000, 0)}),
    "number_input": thing(
        {"is_decimal_allowed": flag},
        {**_TYPED, "initial_value": string(255), "min_value": string(255), "max_value": string(255)},
    ),
    "file_input": thing({}, {**ACTION_ID, "filetypes": many(string(50), 1, 100), "max_files": whole(1, 10)}),
}
OVERFLOW = thing({"options": many(OPTION, 1, 5)}, {**ACTION_ID, "confirm": CONFIRM})
_FEEDBACK = thing({"text": words(75, plain=True), "value": string(2000)}, {"accessibility_label": string(75)})
PRESSED: dict[str, Rule] = {"button": BUTTON, "overflow": OVERFLOW}
ACCESSORIES: dict[str, Rule] = {"image": IMAGE, **PRESSED, **MENUS, **CHOICES, **DATES}
ACTIONS: dict[str, Rule] = {**PRESSED, **MENUS, **CHOICES, **DATES}
FEEDBACK: dict[str, Rule] = {
    "feedback_buttons": thing({"positive_button": _FEEDBACK, "negative_button": _FEEDBACK}, ACTION_ID),
    "icon_button": thing(
        {"icon": one_of("trash"), "text": words(75, plain=True)},
        {**ACTION_ID, "value": string(2000), "confirm": CONFIRM, "accessibility_label": string(75)},
    ),
}
URL_SOURCE: dict[str, Rule] = {"url": thing({"url": link(), "text": string(255)})}

_STYLE = thing({}, dict.fromkeys(("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight"), flag))
_STYLED = {"style": _STYLE}
_SPAN: dict[str, Rule] = {
    "text": thing({"text": string(13_200)}, _STYLED),
    "link": thing({"url": link()}, {**_STYLED, "text": string(3000, 0), "unsafe": flag}),
    "emoji": thing({"name": string(255)}, {**_STYLED, "unicode": string(255), "skin_tone": whole(1, 6)}),
    "user": thing({"user_id": string(255)}, _STYLED),
    "channel": thing({"channel_id": string(255)}, _STYLED),
    "usergroup": thing({"usergroup_id": string(255)}, _STYLED),
    "broadcast": thing({"range": one_of("here", "channel", "everyone")}, _STYLED),
    "color": thing({"value": string(255)}, _STYLED),
    "date": thing({"timestamp": finite, "format": string(255)}, {**_STYLED, "url": link(), "fallback": string(255)}),
}
_SPANS = {"elements": many(kinds(_SPAN), 0)}
_BORDER = {"border": whole(0, 1)}
_SECTION = thing(_SPANS)
RICH_TEXT = thing(
    {
        "elements": many(
            kinds(
                {
                    "rich_text_section": _SECTION,
                    "rich_text_list": thing(
                        {"elements": many(kinds({"rich_text_section": _SECTION})), "style": one_of("bullet", "ordered")},
                        {**_BORDER, "indent": whole(0, 8), "offset": whole(0, 1_000_000)},
                    ),
                    "rich_text_preformatted": thing(_SPANS, {**_BORDER, "language": string(255)}),
                    "rich_text_quote": thing(_SPANS, _BORDER),
                }
            )
        )
    },
    {"block_id": string(255)},
)
INPUTS: dict[str, Rule] = {
    **MENUS,
    **CHOICES,
    **DATES,
    **TYPED,
    "rich_text_input": thing({}, {**_TYPED, "initial_value": kinds({"rich_text": RICH_TEXT})}),
}
