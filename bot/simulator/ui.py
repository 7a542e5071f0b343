"""The door for people: the API of the page, also used by `people.Person`. Loopback only, no passwords."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.simulator import interactions
from bot.simulator.channels import Conversation
from bot.simulator.connections import Connections
from bot.simulator.errors import SlackError, WorkspaceError
from bot.simulator.faults import SOCKET_KINDS, Fault
from bot.simulator.messages import Message
from bot.simulator.room import Room
from bot.simulator.shapes import for_page
from bot.simulator.sidebar import whole_state
from bot.simulator.transcript import transcript
from bot.simulator.workspace import Json, User

STATIC = Path(__file__).parent / "static"
SCREEN = 200
PAGE_HEADER = "x-simulator-page"
Handler = Callable[[Json], Awaitable[Json]]


class Ui:
    """What a person may do and see, over one room."""

    def __init__(self, room: Room, connections: Connections) -> None:
        self._room = room
        self._connections = connections

    def routes(self) -> list[BaseRoute]:
        """Return everything the page may reach."""
        reads = {
            "/ui/people": self.people,
            "/ui/state": self.state,
            "/ui/channels/{channel}/messages": self.messages,
            "/ui/threads/{channel}/{ts}": self.thread,
            "/ui/views": self.views,
            "/ui/screen": self.screen,
            "/ui/calls": self.calls,
            "/ui/transcript/{channel}": self.told,
        }
        acts = {
            "/ui/read": self.read,
            "/ui/message": self.message,
            "/ui/command": self.command,
            "/ui/click": self.click,
            "/ui/view/click": self.view_click,
            "/ui/view/submit": self.view_submit,
            "/ui/view/close": self.view_close,
            "/ui/home": self.home,
            "/ui/reaction": self.reaction,
            "/ui/shortcut": self.shortcut,
            "/ui/banner": self.banner,
            "/ui/clock": self.clock,
        }
        return [
            Route("/", _index),
            *(Route(path, _reading(handler), methods=["GET"]) for path, handler in reads.items()),
            *(Route(path, _acting(handler), methods=["POST"]) for path, handler in acts.items()),
            Route("/ui/options", _reading(self.options), methods=["GET"]),
            Route("/ui/faults", _reading(self.waiting), methods=["GET"]),
            Route("/ui/faults", _acting(self.fault), methods=["POST"]),
            Route("/ui/files/{file}", self.file, methods=["GET"]),
            WebSocketRoute("/ui/live", self.live),
            Mount("/static", StaticFiles(directory=STATIC, check_dir=False)),
        ]

    # Who and where. Each raises 404 with a sentence when there is no such thing.

    def _user(self, given: Json) -> User:
        wanted = str(given.get("user", ""))
        for user in self._room.workspace.users:
            if user.id == wanted:
                return user
        raise HTTPException(404, f"There is no person with the id {wanted!r}.")

    def _channel(self, given: Json) -> Conversation:
        wanted, user = str(given.get("channel", "")), self._user(given)
        channel = self._room.channels.get(wanted)
        if channel is None or not self._room.channels.may_see(channel, user.id):
            raise HTTPException(404, f"{user.name} sees no channel with the id {wanted!r}.")
        return channel

    def _message(self, given: Json, key: str = "message_ts") -> tuple[Conversation, Message]:
        channel, user = self._channel(given), self._user(given)
        message = self._room.messages.get(channel.id, str(given.get(key, "")))
        if message is None or message.ephemeral_for not in {None, user.id}:
            raise HTTPException(404, f"{user.name} sees no message {given.get(key)!r} in {channel.name}.")
        return channel, message

    def _view(self, given: Json) -> Json:
        wanted, user = str(given.get("view_id", "")), self._user(given)
        view = self._room.views.get(wanted)
        if view is None or self._room.views.owner(wanted) != user.id:
            raise HTTPException(404, f"{user.name} has no open view {wanted!r}.")
        return view

    # Reading.

    async def people(self, _given: Json) -> Json:
        """Return who may be acted as."""
        users = self._room.workspace.users
        return {"users": [{"id": u.id, "name": u.name, "real_name": u.real_name, "title": u.title} for u in users]}

    async def state(self, given: Json) -> Json:
        """Return everything the page needs to draw itself; a page that opens for the first time is the first person."""
        first = self._room.workspace.users[0].id
        return whole_state(self._room, self._user({"user": given.get("user") or first}).id)

    async def messages(self, given: Json) -> Json:
        """Return a page of a channel, newest last."""
        channel, user, limit = self._channel(given), self._user(given), int(given.get("limit", 60))
        before = str(given.get("before") or "9")
        found = self._room.messages.top_level(channel.id, user.id, before=before, limit=limit + 1)
        return {"messages": [self._shown(m) for m in found[-limit:]], "has_more": len(found) > limit}

    async def thread(self, given: Json) -> Json:
        """Return a root message and its replies."""
        channel, root = self._message(given, "ts")
        replies = self._room.messages.replies(channel.id, root.ts, self._user(given).id)
        return {"root": self._shown(root), "replies": [self._shown(reply) for reply in replies]}

    async def screen(self, given: Json) -> Json:
        """Return all that a person can read at once: messages with replies, channel by channel, and views.

        `channel` (id or name) leaves the others out. Each channel holds its newest 200 top-level messages.
        """
        user, wanted = self._user(given).id, str(given.get("channel") or "").removeprefix("#")
        seen = [c for c in whole_state(self._room, user)["channels"] if wanted in {"", c["id"], c["name"]}]
        if not seen:
            raise HTTPException(404, f"{self._user(given).name} sees no channel {wanted!r}.")
        return {"channels": [{**c, "messages": self._family(c["id"], user)} for c in seen], **await self.views(given)}

    def _family(self, channel: str, user: str) -> list[Json]:
        roots = self._room.messages.top_level(channel, user, limit=SCREEN)
        below = self._room.messages.replies
        return [self._shown(each) for root in roots for each in (root, *([] if root.is_reply else below(channel, root.ts, user)))]

    async def views(self, given: Json) -> Json:
        """Return the open modals of a person, bottom first, and the Home tab."""
        user = self._user(given).id
        stack = self._room.views.stack(user)
        return {"modal": stack[-1] if stack else None, "stack": stack, "home": self._room.views.home(user)}

    async def calls(self, given: Json) -> Json:
        """Return the call log."""
        return {"calls": self._room.calls.after(int(given.get("after", 0)), int(given.get("limit", 200)))}

    async def told(self, given: Json) -> Json:
        """Return a channel as readable text, by id or name; `user` adds what only that person sees."""
        wanted = str(given.get("channel", ""))
        channel = self._room.channels.get(wanted) or self._room.channels.named(wanted)
        if channel is None:
            raise HTTPException(404, f"There is no channel {wanted!r}.")
        return {"text": transcript(self._room, channel, str(given.get("user", "*")))}

    async def waiting(self, _given: Json) -> Json:
        """Return the faults that have not hit yet."""
        return {"faults": self._room.faults.waiting()}

    async def options(self, given: Json) -> Json:
        """Ask the app for the options of an external menu."""
        user = self._user(given)
        asked: Json = {key: given[key] for key in ("block_id", "action_id", "value") if key in given}
        if given.get("view_id"):
            view = self._view(given)
            asked |= {"view": view, "container": {"type": "view", "view_id": view["id"]}}
        elif given.get("message_ts"):
            channel, message = self._message(given)
            asked |= {"channel": {"id": channel.id, "name": channel.name}}
            asked |= {"container": {"type": "message", "message_ts": message.ts, "channel_id": channel.id}}
        return await interactions.options(self._room, user, asked)

    async def file(self, request: Request) -> Response:
        """Return the bytes of a file to the page."""
        file_id = request.path_params["file"]
        about, body = self._room.files.get(file_id), self._room.files.body(file_id)
        if about is None or body is None:
            return PlainTextResponse("There is no such file.", 404)
        # Only pictures are shown in the page; anything else is a download, whatever it claims to be.
        shown = about["mimetype"] in {"image/png", "image/jpeg", "image/gif", "image/webp"}
        headers = {"X-Content-Type-Options": "nosniff"} | ({} if shown else {"Content-Disposition": "attachment"})
        return Response(body, media_type=about["mimetype"], headers=headers)

    # Acting.

    async def read(self, given: Json) -> Json:
        """Mark a channel as read."""
        channel, user, ts = self._channel(given), self._user(given), str(given.get("ts", "0"))
        self._room.channels.mark_read(channel.id, user.id, ts)
        self._room.live.tell({"type": "read", "channel": channel.id, "ts": ts}, {user.id})
        return {"ok": True}

    async def message(self, given: Json) -> Json:
        """Let a person write."""
        channel, user, text = self._channel(given), self._user(given), str(given.get("text", "")).strip()
        if not text:
            return interactions.refused("no_text", "Write something first.")
        if channel.archived or not self._room.channels.is_member(channel.id, user.id):
            why = "archived" if channel.archived else "not joined by you yet"
            return interactions.refused("cannot_write", f"#{channel.name} is {why}.")
        doc: Json = {"text": self._room.escaped(text), "team": self._room.workspace.team_id}
        thread_ts = given.get("thread_ts")
        posted = self._room.post(channel, Message(channel.id, "", user.id, doc, thread_ts=thread_ts))
        return {"ok": True, "ts": posted.ts}

    async def command(self, given: Json) -> Json:
        """Let a person type a slash command."""
        channel, user = self._channel(given), self._user(given)
        text, in_thread = str(given.get("text", "")).strip(), bool(given.get("thread_ts"))
        return await interactions.run_command(self._room, user, channel, text, in_thread=in_thread)

    async def click(self, given: Json) -> Json:
        """Let a person use an element of a message."""
        return await interactions.click_message(self._room, self._user(given), self._message(given), given)

    async def view_click(self, given: Json) -> Json:
        """Let a person use an element of a modal or Home tab."""
        return await interactions.click_view(self._room, self._user(given), self._view(given), given)

    async def view_submit(self, given: Json) -> Json:
        """Let a person submit a modal."""
        return await interactions.submit(self._room, self._user(given), self._view(given), given.get("state") or {})

    async def view_close(self, given: Json) -> Json:
        """Let a person close a modal."""
        return await interactions.close(self._room, self._user(given), self._view(given))

    async def home(self, given: Json) -> Json:
        """Let a person open the app's Home tab."""
        user = self._user(given)
        direct = self._room.channels.direct(user.id, self._room.clock.now())
        view = self._room.views.home(user.id)
        self._room.events.home_opened(user.id, direct.id, view)
        return {"ok": True, "view": view}

    async def reaction(self, given: Json) -> Json:
        """Let a person react to a message."""
        channel, message = self._message(given, "ts")
        name, user, add = str(given.get("name", "")).strip(":"), self._user(given).id, bool(given.get("add", True))
        done = bool(name) and self._room.react(channel, message, name, user=user, add=add)
        return {"ok": True} if done else interactions.refused("no_change", "That changes nothing.")

    async def shortcut(self, given: Json) -> Json:
        """Let a person use a shortcut, on a message when `message_ts` is given."""
        at = self._message(given) if given.get("message_ts") else None
        callback_id = str(given.get("callback_id", ""))
        return await interactions.use_shortcut(self._room, self._user(given), callback_id, at)

    async def banner(self, given: Json) -> Json:
        """Show the narrator's line above the page; without text it goes away."""
        text = given.get("text")
        self._room.banner = {"text": str(text), "progress": given.get("progress", 0)} if text else None
        self._room.live.tell({"type": "banner", **(self._room.banner or {"text": None, "progress": 0})})
        return {"ok": True}

    async def clock(self, given: Json) -> Json:
        """Push the clock forward by `advance_s` seconds."""
        self._room.clock.advance(float(given.get("advance_s", 0)))
        return {"ok": True, "now": self._room.clock.now()}

    async def fault(self, given: Json) -> Json:
        """Let something fail; {"clear": true} lets everything work again."""
        if given.get("clear"):
            self._room.faults.clear()
            return {"ok": True}
        known = {field.name for field in fields(Fault)}
        await self.cause(Fault(**{key: value for key, value in given.items() if key in known}))
        return {"ok": True}

    async def cause(self, fault: Fault) -> None:
        """Queue a fault, or break the app's sockets at once."""
        sockets = self._room.deliver.sockets
        if fault.kind not in SOCKET_KINDS:
            self._room.faults.add(fault)
        elif fault.kind == "disconnect":
            await sockets.disconnect(fault.reason)
        else:
            for socket in sockets.open[: fault.count]:
                sockets.forget(socket)
                self._connections.reset(socket.client)
            self._room.show_bot()

    async def live(self, socket: WebSocket) -> None:
        """Tell one page what happens, until it goes away."""
        user = socket.query_params.get("user", "")
        if not _from_here(socket.headers.get("origin")):
            await socket.close(code=4403)
            return
        if not any(person.id == user for person in self._room.workspace.users):
            await socket.close(code=4404)
            return
        await socket.accept()
        queue = self._room.live.join(user)
        queue.put_nowait({"type": "joined"})  # from here on nothing is missed: the page may take stock
        talking = asyncio.create_task(_talk(socket, queue))
        try:
            while True:
                await socket.receive_text()
        except (WebSocketDisconnect, RuntimeError):
            return  # the page is closed
        finally:
            self._room.live.leave(queue)
            talking.cancel()

    def _shown(self, message: Message) -> Json:
        return for_page(message, self._room.messages, self._room.app)


def _from_here(origin: str | None) -> bool:
    """Say whether a browser's page may listen: pages of other sites may open sockets to loopback, too."""
    return origin is None or urlsplit(origin).hostname in {"127.0.0.1", "localhost"}


async def _talk(socket: WebSocket, queue: asyncio.Queue[Json]) -> None:
    while True:
        await socket.send_json(await queue.get())


async def _index(_request: Request) -> Response:
    page = STATIC / "index.html"
    if not page.is_file():
        return PlainTextResponse("The simulator runs, but its page (static/index.html) is not installed.", 404)
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'self'; img-src 'self' data: http: https:; style-src 'self' "
        "'unsafe-inline'; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; frame-ancestors 'none'",
    }
    return Response(page.read_bytes(), media_type="text/html; charset=utf-8", headers=headers)


def _reading(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def read(request: Request) -> Response:
        return await _answered(handler, {**request.query_params, **request.path_params})

    return read


def _acting(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def act(request: Request) -> Response:
        # A page of another origin cannot set this header without being asked first: no forged clicks.
        if request.headers.get(PAGE_HEADER) != "1":
            return JSONResponse({"ok": False, "error": "missing_header", "text": f"Send {PAGE_HEADER}: 1."}, 403)
        try:
            given: Any = json.loads(await request.body() or b"{}")
        except json.JSONDecodeError:
            given = None
        if not isinstance(given, dict):
            return JSONResponse({"ok": False, "error": "invalid_json", "text": "Send a JSON object."}, 400)
        return await _answered(handler, {**request.query_params, **given})

    return act


async def _answered(handler: Handler, given: Json) -> Response:
    try:
        return JSONResponse(await handler(given))
    except HTTPException as missing:
        text = str(missing.detail)
        return JSONResponse({"ok": False, "error": "not_found", "text": text}, missing.status_code)
    except (WorkspaceError, ValueError, TypeError) as wrong:
        return JSONResponse({"ok": False, "error": "invalid_arguments", "text": str(wrong)}, 400)
    except SlackError as refusal:
        return JSONResponse({"ok": False, "error": refusal.code, "text": refusal.code, **refusal.body}, 400)
