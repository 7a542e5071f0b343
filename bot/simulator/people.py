"""People for tests: they type, click, fill in and read over the same HTTP surface as the page.

A test then reads like the chat it tells:

    ana.says("/aiops rollback churn", channel="ops")
    ana.clicks("Approve")
    ana.sees("someone else has to approve")
    bo.clicks("Approve")
    bo.sees("Approved by @bo", within=10)
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Self, TypeVar

import httpx

from bot.simulator.blocks import all_blocks, parts
from bot.simulator.errors import WorkspaceError
from bot.simulator.inputs import VALUE_KEYS, inputs_of
from bot.simulator.server import Simulator
from bot.simulator.transcript import message_lines, seen_text
from bot.simulator.workspace import Json

POLL_S = 0.03
_Found = TypeVar("_Found")


class Person:
    """Somebody of the workspace, in front of the page.

    Args:
        slack: a running Simulator, or the URL of one.
        name: the person's name or id.
    """

    def __init__(self, slack: Simulator | str, name: str) -> None:
        url = slack if isinstance(slack, str) else slack.url
        self._http = httpx.Client(base_url=url, headers={"X-Simulator-Page": "1"}, trust_env=False, timeout=30.0)
        self.id = self._who(name)
        self.name = name
        self._channel = ""
        self._typed: dict[str, Json] = {}

    def close(self) -> None:
        """Leave the page."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # Acting.

    def says(self, text: str, channel: str | None = None, *, in_thread: str | None = None) -> str | None:
        """Write a message or, when it starts with a slash, a command.

        Args:
            text: what is typed; @name and #channel become mentions.
            channel: name or id; else the channel of the last thing this person did, else the first one.
            in_thread: text of the root message below which to write.

        Returns:
            What Slack tells this person when it did not work ("… failed with the error …"), else None.
        """
        place = self._place(channel)
        body: Json = {"channel": place, "text": text}
        if in_thread is not None:
            root = self._wait(lambda: self._message_with(in_thread, place), 5.0, f"a message with {in_thread!r}")
            body["thread_ts"] = root.get("thread_ts") or root["ts"]
        return _trouble(self._post("/ui/command" if text.startswith("/") else "/ui/message", body))

    def clicks(
        self,
        label: str,
        *,
        in_thread: str | None = None,
        channel: str | None = None,
        within: float = 5.0,
        confirming: bool = True,
    ) -> str | None:
        """Press the newest button with this label that this person can see; an open modal comes first.

        Args:
            label: the text on the button.
            in_thread: only in the thread (or on the root message) that contains this text.
            channel: only in this channel, by name or id.
            within: seconds to wait until there is such a button.
            confirming: answer a confirm dialog with yes; False presses its other button, so nothing is sent.

        Returns:
            What this person is told when the app did not take the click, else None.

        Raises:
            AssertionError: there is no such button; the message holds what this person sees.
        """
        found = self._wait(lambda: self._button(label, in_thread, channel), within, f"a button {label!r}")
        path, body, button = found
        if button.get("confirm") and not confirming:
            return None
        return _trouble(self._post(path, {**body, "action_id": button["action_id"]}))

    def chooses(self, option: str, *, menu: str | None = None, within: float = 5.0) -> str | None:
        """Pick an option (by its text) from the newest menu that has it; `menu` is its action_id.

        In a modal this also fills the field. Returns what this person is told when it did not work.
        """

        def matching() -> tuple[str, Json, Json] | None:
            return self._find(lambda part: _option(part, option) is not None and menu in {None, part.get("action_id")})

        path, body, element = self._wait(matching, within, f"a menu with {option!r}")
        picked = _option(element, option)
        key = VALUE_KEYS[element["type"]]
        value: Any = [picked] if key == "selected_options" else picked
        return _trouble(self._post(path, {**body, "action_id": element["action_id"], key: value}))

    def fills(self, field: str, value: Any, *, within: float = 5.0) -> None:
        """Fill a field of the open modal; nothing is sent until `submits`.

        Args:
            field: label, block_id or action_id of the field.
            value: a text; the text of an option (or a list of them) for menus and checkboxes; a name for people.
            within: seconds to wait for the modal.
        """
        view = self._wait(self._modal, within, "an open modal")
        for block, element in inputs_of(view["blocks"]):
            label = (block.get("label") or block.get("text") or {}).get("text")
            if field in {label, block["block_id"], element["action_id"]}:
                typed = self._typed.setdefault(view["id"], {})
                typed.setdefault(block["block_id"], {})[element["action_id"]] = self._value(element, value)
                return
        raise AssertionError(f"The modal has no field {field!r}.\n{self.screen()}")

    def submits(self, *, within: float = 5.0) -> dict[str, str]:
        """Submit the open modal.

        Returns:
            Nothing when it was taken; else what stands below the fields (block_id → sentence), or {"": sentence}.
        """
        view = self._wait(self._modal, within, "an open modal")
        body = {"view_id": view["id"], "state": {"values": self._typed.get(view["id"], {})}}
        answer = self._post("/ui/view/submit", body)
        if answer.get("errors"):
            return {str(key): str(text) for key, text in answer["errors"].items()}
        return {} if answer["ok"] else {"": str(answer.get("text"))}

    def closes(self) -> None:
        """Close the open modal without submitting."""
        view = self._wait(self._modal, 5.0, "an open modal")
        self._post("/ui/view/close", {"view_id": view["id"]})

    def opens_home(self) -> None:
        """Open the app's Home tab."""
        self._post("/ui/home", {})

    def reacts(self, emoji: str, *, to: str, channel: str | None = None) -> None:
        """React to the newest message that contains the text `to`."""
        place = self._place(channel)
        message = self._wait(lambda: self._message_with(to, place), 5.0, f"a message with {to!r}")
        self._post("/ui/reaction", {"channel": place, "ts": message["ts"], "name": emoji, "add": True})

    def uses(self, shortcut: str, *, on: str | None = None, channel: str | None = None) -> str | None:
        """Use a shortcut by callback_id, `on` the newest message with this text if it is one for messages."""
        body: Json = {"callback_id": shortcut}
        if on is not None:
            place = self._place(channel)
            message = self._wait(lambda: self._message_with(on, place), 5.0, f"a message with {on!r}")
            body |= {"channel": place, "message_ts": message["ts"]}
        return _trouble(self._post("/ui/shortcut", body))

    # Reading.

    def sees(self, text: str, *, within: float = 5.0, channel: str | None = None) -> str:
        """Wait until this person can read a text: in a channel, thread, ephemeral, modal or the Home tab.

        Returns:
            The text of the message or view it stands in.

        Raises:
            AssertionError: it did not appear; the message holds what this person sees.
        """
        return self._wait(lambda: self._reading(text, channel), within, repr(text))

    def does_not_see(self, text: str, *, during: float = 0.3, channel: str | None = None) -> None:
        """Fail when this person can read a text now or within `during` seconds."""
        deadline = time.monotonic() + during
        while True:
            found = self._reading(text, channel)
            if found is not None:
                raise AssertionError(f"{self.name} should not see {text!r} but does:\n{found}")
            if time.monotonic() > deadline:
                return
            time.sleep(POLL_S)

    def screen(self, channel: str | None = None) -> str:
        """Return everything that this person can read, as chat text."""
        told = [f"--- what {self.name} sees ---"]
        names = {user["id"]: user["name"] for user in self._get("/ui/state")["users"]}
        for place in self._screen(channel)["channels"]:
            told.append(f"#{place['name']}" + ("" if place["messages"] else " (empty)"))
            for message in place["messages"]:
                told += message_lines(message, names, indent="" if _root(message)[1] == message["ts"] else "  │ ")
        for title, view in self._views():
            told += [f"[{title}]", seen_text(view)]
        return "\n".join(told)

    # Below: how the page is looked at.

    def _who(self, name: str) -> str:
        known = self._http.get("/ui/people").json()["users"]
        for user in known:
            if name.removeprefix("@") in {user["id"], user["name"]}:
                return str(user["id"])
        raise WorkspaceError(f"Nobody is called {name!r}; known are {', '.join(u['name'] for u in known)}.")

    def _get(self, path: str, **params: Any) -> Json:
        answer = self._http.get(path, params={"user": self.id, **params})
        answer.raise_for_status()
        read: Json = answer.json()
        return read

    def _post(self, path: str, body: Json) -> Json:
        self._channel = str(body.get("channel") or self._channel)
        answer: Json = self._http.post(path, json={"user": self.id, **body}).json()
        return answer

    def _places(self, channel: str | None = None) -> list[Json]:
        wanted = channel.removeprefix("#") if channel else None
        found = [c for c in self._get("/ui/state")["channels"] if wanted in {None, c["id"], c["name"]}]
        if not found:
            raise WorkspaceError(f"{self.name} sees no channel {channel!r}.")
        return found

    def _place(self, channel: str | None) -> str:
        return self._channel if channel is None and self._channel else str(self._places(channel)[0]["id"])

    def _screen(self, channel: str | None = None) -> Json:
        return self._get("/ui/screen", **({"channel": channel} if channel else {}))

    def _messages(self, channel: str | None, in_thread: str | None = None) -> list[Json]:
        """Return everything this person can read, newest first; replies included."""
        told = [message for place in self._screen(channel)["channels"] for message in place["messages"]]
        if in_thread is not None:
            threads = {_root(message) for message in told if in_thread in _text(message)}
            told = [message for message in told if _root(message) in threads]
        return sorted(told, key=lambda each: str(each["ts"]), reverse=True)

    def _message_with(self, text: str, channel: str | None) -> Json | None:
        return next((message for message in self._messages(channel) if text in _text(message)), None)

    def _modal(self) -> Json | None:
        modal: Json | None = self._get("/ui/views")["modal"]
        return modal

    def _views(self) -> list[tuple[str, Json]]:
        views = self._get("/ui/views")
        return [(name, views[key]) for name, key in (("modal", "modal"), ("Home", "home")) if views[key]]

    def _reading(self, text: str, channel: str | None) -> str | None:
        screen = self._screen(channel)
        views = [seen_text(screen[key]) for key in ("modal", "home") if screen[key] and channel is None]
        told = [_text(message) for place in screen["channels"] for message in reversed(place["messages"])]
        return next((each for each in [*views, *told] if text in each), None)

    def _button(self, label: str, in_thread: str | None, channel: str | None) -> tuple[str, Json, Json] | None:
        def wanted(part: Json) -> bool:
            return part.get("type") == "button" and part["text"]["text"] == label

        return self._find(wanted, in_thread, channel)

    def _find(
        self, wanted: Callable[[Json], bool], in_thread: str | None = None, channel: str | None = None
    ) -> tuple[str, Json, Json] | None:
        """Return (path, body, element) for the newest element that fits: modal first, then messages, then Home."""
        views = [] if in_thread or channel else self._views()
        modal = [view for name, view in views if name == "modal"]
        for view in modal:
            if found := _element(view["blocks"], wanted):
                return "/ui/view/click", {"view_id": view["id"], "block_id": found[0]}, found[1]
        for message in self._messages(channel, in_thread):
            if found := _element(all_blocks(message), wanted):
                at = {"channel": message["channel"], "message_ts": message["ts"], "block_id": found[0]}
                return "/ui/click", at, found[1]
        for _, view in views:
            if found := _element(view["blocks"], wanted):
                return "/ui/view/click", {"view_id": view["id"], "block_id": found[0]}, found[1]
        return None

    def _value(self, element: Json, value: Any) -> Json:
        key = VALUE_KEYS[element["type"]]
        if key == "selected_option":
            value = _option(element, value)
        elif key == "selected_options":
            value = [_option(element, each) for each in ([value] if isinstance(value, str) else value)]
        elif key == "selected_user":
            value = self._who(value)
        elif key == "selected_users":
            value = [self._who(each) for each in ([value] if isinstance(value, str) else value)]
        if value is None or (isinstance(value, list) and None in value):
            raise AssertionError(f"The menu {element['action_id']!r} has no such option.\n{self.screen()}")
        return {"type": element["type"], key: value}

    def _wait(self, look: Callable[[], _Found | None], within: float, what: str) -> _Found:
        deadline = time.monotonic() + within
        while (found := look()) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.name} does not see {what} within {within:g} s.\n{self.screen()}")
            time.sleep(POLL_S)
        return found


def _trouble(answer: Json) -> str | None:
    return None if answer.get("ok") else str(answer.get("text") or answer.get("error"))


def _root(message: Json) -> tuple[str, str]:
    """Return (channel, timestamp of the root message) of the thread a message stands in."""
    return str(message["channel"]), str(message.get("thread_ts") or message["ts"])


def _text(message: Json) -> str:
    """Return all that can be read in a message: blocks, attachments, files and the fallback text."""
    shown = [message.get("blocks"), message.get("attachments"), message.get("files")]
    names = [str(file["name"]) for file in message.get("files", [])]
    return "\n".join([str(message.get("text") or ""), seen_text(shown), *names])


def _element(blocks: list[Json], wanted: Callable[[Json], bool]) -> tuple[str, Json] | None:
    """Return (block_id, element) of the first element that fits; the innermost block that has an id counts."""
    for block in blocks:
        for part in parts(block):
            if part is not block and wanted(part):
                around = [each for each in parts(block) if "block_id" in each and part in list(parts(each))]
                return str(around[-1]["block_id"]), part
    return None


def _option(element: Json, text: Any) -> Json | None:
    groups = [group.get("options", []) for group in element.get("option_groups") or []]
    options = [*(element.get("options") or []), *(option for group in groups for option in group)]
    return next((o for o in options if text in {o.get("text", {}).get("text"), o.get("value")}), None)
