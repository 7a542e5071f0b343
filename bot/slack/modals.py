"""Modals: choose a remedy, give a reason, look at the details. Plain text only, so that nothing in it is ever interpreted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.core.errors import NotFound
from bot.slack.answers import Where

View = dict[str, Any]
TITLE, LABEL, OPTION, TEXT = 24, 150, 75, 2_900
MOST_OPTIONS = 100
REASON = 500
PARAMETER = "parameter:"


def plain(text: object, most: int) -> dict[str, Any]:
    """Return a plain text object within its limit."""
    told = str(text) or "–"
    return {"type": "plain_text", "text": told if len(told) <= most else told[: most - 1] + "…", "emoji": True}


def paragraph(text: object) -> dict[str, Any]:
    """Return a paragraph of plain text."""
    return {"type": "section", "text": plain(text, TEXT)}


def modal(title: str, blocks: Sequence[Mapping[str, Any]], **more: Any) -> View:
    """Return a modal; with `submit` it can be sent."""
    buttons = {key: plain(more.pop(key), TITLE) for key in ("submit", "close") if more.get(key)}
    return {"type": "modal", "title": plain(title, TITLE), "blocks": list(blocks), **buttons, **more}


def remembered(to: Where, **facts: str) -> str:
    """Return the private metadata of a modal: where it was opened, and ids."""
    return json.dumps({"channel": to.channel, "thread_ts": to.thread_ts, **facts})


def recalled(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what `remembered` wrote."""
    try:
        told = json.loads(view.get("private_metadata") or "{}")
    except json.JSONDecodeError:
        return {}
    return {str(key): str(value) for key, value in told.items()} if isinstance(told, dict) else {}


def loading(title: str) -> View:
    """Return a modal that says that the real one is coming: a trigger lives three seconds only."""
    return modal(title, [paragraph("One moment …")], close="Close")


def saying(title: str, text: str) -> View:
    """Return a modal with one sentence."""
    return modal(title, [paragraph(text)], close="Close")


def details(number: int, blocks: Sequence[Mapping[str, Any]]) -> View:
    """Return a modal around rendered blocks."""
    return modal(f"Incident #{number}", blocks, close="Close")


def reason(callback: str, to: Where, number: str) -> View:
    """Return the form that asks why: `callback` is "resolve" (an incident), "reject", "break_glass" or "review" (a proposal)."""
    asked = {
        "reject": ("Reject", "Why not? The proposer and the audit log will read it.", "e.g. wait for tonight's labels"),
        "break_glass": (
            "Break the glass",
            "You approve this alone. Why can nobody else be asked? Everybody is told, and somebody else reviews it.",
            "e.g. nobody on call answers, and users see errors",
        ),
        "review": (
            "Review",
            "Was it right to act alone, and what should be different next time?",
            "e.g. right; add a second person to the night shift",
        ),
        "resolve": ("Resolve", "What was the cause? It makes the next incident shorter.", "e.g. the feed was late"),
    }[callback]
    field = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": REASON,
        "placeholder": plain(asked[2], LABEL),
    }
    block = {"type": "input", "block_id": "reason", "label": plain(asked[1], LABEL), "element": field}
    meta = remembered(to, number=number)
    return modal(asked[0], [block], submit=asked[0], close="Cancel", callback_id=callback, private_metadata=meta)


def remedy(
    to: Where,
    number: int,
    offers: Sequence[Mapping[str, Any]],
    chosen: str = "",
    resting: Sequence[str] = (),
    *,
    incident: str = "",
) -> View:
    """Return the form that proposes a playbook; `offers` is what `flow.propose.options` says, `chosen` one of its names.

    `resting` says which others cannot be proposed now, and why; `incident` what it is for, where that was not on the screen.
    """
    offer = next((one for one in offers if one["name"] == chosen), offers[0])
    blocks = [paragraph(f"{offer['title']}: {offer['summary']}")]
    if incident:
        blocks.insert(0, paragraph(f"For incident #{number}: {incident}"))
    if len(offers) > 1:
        blocks.insert(0, _menu("playbook", "Playbook", [(o["name"], o["title"]) for o in offers], offer["name"], redraw=True))
    if offer.get("suggestion"):
        blocks.append(paragraph(f"Suggested: {offer['suggestion']}"))
    blocks += [_field(offer["name"], parameter) for parameter in offer["parameters"]]
    blocks += [paragraph(why) for why in resting]
    blocks.append(paragraph("Nothing is changed yet: the plan is put up for approval, with its preview, in the incident's thread."))
    meta = remembered(to, number=str(number), playbook=str(offer["name"]))
    return modal("Propose a remedy", blocks, submit="Propose", close="Cancel", callback_id="propose", private_metadata=meta)


def chosen_parameters(view: Mapping[str, Any]) -> dict[str, object]:
    """Return what a person chose in the form of `remedy`, by parameter."""
    found: dict[str, object] = {}
    for block_id, actions in view["state"]["values"].items():
        if block_id.startswith(PARAMETER):
            found[block_id.split(":", 2)[2]] = typed(actions)
    return found


def typed(actions: Mapping[str, Any]) -> str:
    """Return the value of the one element of an input block."""
    for value in actions.values():
        option = value.get("selected_option") or {}
        return str(option.get("value") or value.get("value") or "").strip()
    return ""


def reason_of(view: Mapping[str, Any]) -> str:
    """Return the reason of the form of `reason`."""
    return typed((view["state"]["values"].get("reason")) or {})


def _field(playbook: str, parameter: Mapping[str, Any]) -> dict[str, Any]:
    # The playbook is part of the block's id: Slack keeps a field's old value as long as its id stays.
    block_id, title = f"{PARAMETER}{playbook}:{parameter['name']}", str(parameter["title"])
    default = str(parameter.get("default") or "")
    if parameter["kind"] == "version" or parameter["choices"]:
        return _menu(block_id, title, [(c["value"], c["text"]) for c in parameter["choices"]], default)
    element: dict[str, Any] = {"type": "plain_text_input", "action_id": "value", "max_length": 200}
    if default:
        element["initial_value"] = default[:200]
    return {"type": "input", "block_id": block_id, "label": plain(title, LABEL), "element": element}


def _menu(block_id: str, title: str, choices: Iterable[tuple[str, str]], default: str, *, redraw: bool = False) -> dict[str, Any]:
    options = [{"text": plain(text, OPTION), "value": value} for value, text in choices if value and len(value) <= 150][
        :MOST_OPTIONS
    ]
    if not options:
        raise NotFound(f"There is nothing to choose for '{title}' now, so this playbook cannot be proposed.")
    element: dict[str, Any] = {"type": "static_select", "action_id": "playbook_chosen" if redraw else "value", "options": options}
    if initial := [option for option in options if option["value"] == default]:
        element["initial_option"] = initial[0]
    return {"type": "input", "block_id": block_id, "label": plain(title, LABEL), "element": element, "dispatch_action": redraw}
