"""A real slack_bolt app for the contract tests, reachable over Socket Mode or signed HTTP."""

import contextlib
import logging
import socket
import threading
import time

import uvicorn
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.routing import Route


def plain(text):
    return {"type": "plain_text", "text": text}


def button(text, action_id, **more):
    return {"type": "button", "text": plain(text), "action_id": action_id, "value": "I1", **more}


def card(*buttons, text="Proposal 1"):
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    return [section, {"type": "actions", "block_id": "decide", "elements": list(buttons)}]


def modal(title="Reason", callback_id="reason", **more):
    why = {"type": "plain_text_input", "action_id": "typed"}
    risk = {
        "type": "static_select",
        "action_id": "risk",
        "options": [{"text": plain("Low"), "value": "low"}, {"text": plain("High"), "value": "high"}],
    }
    blocks = [
        {"type": "input", "block_id": "why", "label": plain("Why"), "element": why},
        {"type": "input", "block_id": "risk", "label": plain("Risk"), "element": risk, "optional": True},
        {"type": "actions", "block_id": "more", "elements": [button("Details", "details")]},
    ]
    view = {"type": "modal", "callback_id": callback_id, "title": plain(title), "submit": plain("Send"), "blocks": blocks}
    return {**view, **more}


def new_app(slack, **options):
    client = WebClient(slack.app.bot_token, base_url=slack.api_url, retry_handlers=[])
    app = App(client=client, signing_secret=slack.app.signing_secret, logger=_quiet(), **options)
    app.heard = []
    return app


def _quiet():
    logger = logging.getLogger("bolt-under-test")
    logger.setLevel(logging.CRITICAL)
    return logger


@contextlib.contextmanager
def over_socket(slack, app):
    handler = SocketModeHandler(app, slack.app.app_token)
    handler.client.logger.setLevel(logging.CRITICAL)
    handler.connect()
    slack.wait_for_app()
    try:
        yield handler
    finally:
        # Closing joins threads that sit in time-outs of up to three seconds; no test has to wait for them.
        handler.client.auto_reconnect_enabled = False
        slack.fault("kill_socket", count=10)
        threading.Thread(target=_close, args=(handler,), daemon=True).start()


def _close(handler):
    # The client's reader may clear the dead socket just while its `close` uses it.
    with contextlib.suppress(AttributeError):
        handler.close()


@contextlib.contextmanager
def over_http(slack, app):
    handler = SlackRequestHandler(app)

    async def events(request):
        return await handler.handle(request)

    listener = socket.create_server(("127.0.0.1", 0))
    web = Starlette(routes=[Route("/slack/events", events, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(web, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        slack.deliver_to(f"http://127.0.0.1:{listener.getsockname()[1]}/slack/events")
        yield handler
    finally:
        server.should_exit = True
        thread.join(5)
        listener.close()


TRANSPORTS = {"socket": over_socket, "http": over_http}


def until(fact, within=5.0):
    """Wait for something to become true; returns it."""
    deadline = time.monotonic() + within
    while not (found := fact()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)
    return found
