"""A tiny app behind the simulator: plain Web API calls and one Socket Mode connection, no framework."""

import json
import threading
from contextlib import ExitStack

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

OPS = "C0000000OPS"


def plain(text):
    return {"type": "plain_text", "text": text}


def mrkdwn(text):
    return {"type": "mrkdwn", "text": text}


REASON = {"type": "plain_text_input", "action_id": "text", "multiline": True}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Propose"),
    "submit": plain("Send"),
    "close": plain("Cancel"),
    "blocks": [{"type": "input", "block_id": "why", "label": plain("Reason"), "element": REASON}],
}
CONFIRM = {"title": plain("Close it?"), "text": mrkdwn("It *opens again*."), "confirm": plain("Yes"), "deny": plain("No")}
CARD = [
    {"type": "header", "text": plain("SEV2 delay-eta")},
    {"type": "section", "fields": [mrkdwn("*Owner*\n<@U00000000BB>"), mrkdwn("*State*\n:red_circle: Open")]},
    {"type": "table", "rows": [[{"type": "raw_text", "text": f"{row}.{column}"} for column in range(9)] for row in range(3)]},
    {
        "type": "actions",
        "elements": [
            {"type": "button", "action_id": "propose", "text": plain("Propose"), "style": "primary"},
            {"type": "button", "action_id": "close", "text": plain("Close"), "style": "danger", "confirm": CONFIRM},
            {"type": "button", "action_id": "deaf", "text": plain("Deaf")},
        ],
    },
]
HOME = {"type": "home", "blocks": [{"type": "header", "text": plain("Models in production")}]}


class EchoApp:
    """Acknowledges everything but clicks on `deaf`, and answers in the channel what it heard."""

    def __init__(self, slack):
        self.slack = slack
        self.heard = []
        self._http = httpx.Client(base_url=slack.api_url, trust_env=False, timeout=10)
        self._open = ExitStack()
        self._socket = self._open.enter_context(connect(self.call("apps.connections.open", token=slack.app.app_token)["url"]))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def call(self, method, token=None, **args):
        headers = {"Authorization": f"Bearer {token or self.slack.app.bot_token}"}
        answer = self._http.post(method, json=args, headers=headers).json()
        assert answer["ok"], answer
        return answer

    def say(self, text, **more):
        return self.call("chat.postMessage", channel=OPS, text=text, **more)["ts"]

    def close(self):
        self._open.close()
        self._thread.join(timeout=5)
        self._http.close()

    def _listen(self):
        try:
            for frame in self._socket:
                self._hear(json.loads(frame))
        except ConnectionClosed:
            return  # the test is over

    def _hear(self, envelope):
        payload = envelope.get("payload", {})
        action = (payload.get("actions") or [{}])[0].get("action_id")
        if "envelope_id" not in envelope or action == "deaf":
            return
        refused = payload.get("type") == "view_submission" and len(written(payload)) < 5
        errors = {"response_action": "errors", "errors": {"why": "Say it in at least 5 characters."}} if refused else None
        self._socket.send(json.dumps({"envelope_id": envelope["envelope_id"], "payload": errors or {}}))
        self.heard.append(action or payload.get("command") or payload.get("type"))
        if not refused:
            self._answer(payload, action)

    def _answer(self, payload, action):
        if action == "propose":
            self.call("views.open", trigger_id=payload["trigger_id"], view=FORM)
        elif action == "close":
            self.say("Closed.")
        elif payload.get("type") == "view_submission":
            self.say(f"Proposed: {written(payload)}")
        elif payload.get("command"):
            self.call("chat.postEphemeral", channel=OPS, user=payload["user_id"], text=f"Heard {payload['text']}")
        elif payload.get("event", {}).get("type") == "app_home_opened":
            self.call("views.publish", user_id=payload["event"]["user"], view=HOME)


def written(payload):
    return payload["view"]["state"]["values"]["why"]["text"]["value"]
