"""The door for apps: `/api/<method>`, uploads, files and response URLs, with Slack's status codes and errors."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from bot.simulator.connections import Connections
from bot.simulator.errors import SlackError
from bot.simulator.faults import CALL_KINDS, Fault
from bot.simulator.room import Room
from bot.simulator.webapi import METHODS, Call, Method
from bot.simulator.workspace import Json


class WebApi:
    """Slack's Web API over one room."""

    def __init__(self, room: Room, connections: Connections) -> None:
        self._room = room
        self._connections = connections

    def routes(self) -> list[BaseRoute]:
        """Return what an app may reach."""
        return [
            Route("/api/{method}", self.call, methods=["GET", "POST"]),
            Route("/response_url/{key}", self.reply, methods=["POST"]),
            Route("/upload/v1/{key}", self.upload, methods=["POST"]),
            Route("/files-pri/{file}", self.file, methods=["GET"]),
            WebSocketRoute("/link/", self.socket),
        ]

    async def socket(self, socket: WebSocket) -> None:
        """Serve one Socket Mode connection and tell the pages that the bot came or went."""
        serving = self._room.deliver.sockets.serve(socket)
        self._room.deliver.spawn(self._tell_bot())
        try:
            await serving
        finally:
            self._room.show_bot()

    async def _tell_bot(self) -> None:
        await asyncio.sleep(0.05)  # after the handshake
        self._room.show_bot()

    async def call(self, request: Request) -> Response:
        """Answer one call of a method."""
        started, name = time.perf_counter(), request.path_params["method"]
        token, args = await _arguments(request)
        fault = self._room.faults.take(CALL_KINDS, name, args.get("channel"))
        if fault and fault.kind == "late_accept":
            await asyncio.sleep(fault.delay_s)
        body, status, headers = self._answer(name, args, token, fault)
        ms = (time.perf_counter() - started) * 1000
        shown = str(body.get("error", "ok")) if fault is None else f"{body.get('error', 'ok')} ({fault.kind})"
        self._room.calls.add("in", "web_api", name, status=shown, ms=ms, request=args, response=body)
        if fault and fault.kind in {"drop_after_accept", "drop_before_accept"}:
            self._connections.reset(request.client)
        if fault and fault.kind == "slow":
            await asyncio.sleep(fault.delay_s)
        return JSONResponse(body, status, headers)

    def _answer(self, name: str, args: Json, token: str, fault: Fault | None) -> tuple[Json, int, dict[str, str]]:
        try:
            _hurt(fault)
            return {"ok": True, **self._run(name, args, token)}, 200, {}
        except SlackError as refusal:
            retry = refusal.retry_after_s
            headers = {} if retry is None else {"Retry-After": str(retry)}
            return {"ok": False, "error": refusal.code, **refusal.body}, refusal.status, headers

    def _run(self, name: str, args: Json, token: str) -> Json:
        method = METHODS.get(name)
        if method is None:
            raise SlackError("unknown_method", req_method=name)
        self._authorize(method, token)
        self._room.limits.check(name, method.tier, args.get("channel"))
        return method.run(Call(self._room, args))

    def _authorize(self, method: Method, token: str) -> None:
        app = self._room.app
        if method.token == "none":  # noqa: S105  a kind, no secret
            return
        if not token:
            raise SlackError("not_authed")
        if token not in {app.bot_token, app.app_token}:
            raise SlackError("invalid_auth")
        if (token == app.app_token) != (method.token == "app"):  # noqa: S105  a kind, no secret
            raise SlackError("not_allowed_token_type")
        if method.scope and method.scope not in app.scopes:
            raise SlackError("missing_scope", needed=method.scope, provided=",".join(app.scopes))

    async def reply(self, request: Request) -> Response:
        """Take an app's answer at a response URL."""
        started, key = time.perf_counter(), request.path_params["key"]
        body: Json = {}
        try:
            read = json.loads(await request.body())
            body = read if isinstance(read, dict) else {}
            self._room.replies.use(key, body)
            response: Response = PlainTextResponse("ok")
            status = "ok"
        except json.JSONDecodeError:
            response, status = PlainTextResponse("invalid_payload", 400), "invalid_payload"
        except SlackError as refusal:
            status = refusal.code
            code = refusal.status if refusal.status != 200 else 400
            response = JSONResponse({"ok": False, "error": status, **refusal.body}, code)
        ms = (time.perf_counter() - started) * 1000
        self._room.calls.add("in", "response_url", "response_url", status=status, ms=ms, request=body, response={})
        return response

    async def upload(self, request: Request) -> Response:
        """Take the bytes of an announced file, raw or as a form."""
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            form = await request.form()
            found = [value for value in form.values() if not isinstance(value, str)]
            body = await found[0].read() if found else b""
        else:
            body = await request.body()
        if not self._room.files.upload(request.path_params["key"], body):
            return PlainTextResponse("unknown upload", 404)
        return PlainTextResponse(f"OK - {len(body)}")

    async def file(self, request: Request) -> Response:
        """Return the bytes of a file to the app."""
        file_id = request.path_params["file"]
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        about, body = self._room.files.get(file_id), self._room.files.body(file_id)
        if token != self._room.app.bot_token or about is None or body is None:
            return PlainTextResponse("not found", 404)
        return Response(body, media_type=about["mimetype"])


def _hurt(fault: Fault | None) -> None:
    """Raise what a fault answers in the place of the method, if it keeps the method from running."""
    if fault and fault.kind == "rate_limited":
        raise SlackError("ratelimited", status=429, retry_after_s=fault.retry_after)
    if fault and fault.kind in {"server_error", "drop_before_accept"}:
        raise SlackError("internal_error", status=fault.status)


async def _arguments(request: Request) -> tuple[str, Json]:
    """Return (token, arguments) of a call, whether they came as JSON, as a form or in the address."""
    args: dict[str, Any] = dict(request.query_params)
    if request.method == "POST":
        if request.headers.get("content-type", "").startswith("application/json"):
            try:
                read = json.loads(await request.body() or b"{}")
            except json.JSONDecodeError:
                read = {}
            args |= read if isinstance(read, dict) else {}
        else:
            args |= {key: value for key, value in (await request.form()).items() if isinstance(value, str)}
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    given = token if scheme.lower() == "bearer" else str(args.get("token", ""))
    return given.strip(), {key: value for key, value in args.items() if key != "token"}
