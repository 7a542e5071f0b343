"""The surface: Bolt's wiring. A listener checks, calls one verb and acks; whatever goes wrong is told to the person who clicked.

Both transports lead to the same listeners: `connect` opens Socket Mode, `routes` takes signed HTTP.
"""

import logging
import re
import secrets
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltResponse, Respond
from slack_sdk import WebClient

from bot.core.approvals import Principal
from bot.core.errors import AiopsError
from bot.flow.desk import Desk
from bot.slack import home
from bot.slack.answers import PERSON, Answers, Body, Where, where
from bot.slack.client import SLACK, SlackTrouble, web_client
from bot.slack.command import Command, answer, help_answer, known_commands
from bot.slack.doors import Seen, name_of, stranger
from bot.slack.forms import Forms
from bot.slack.ports import Ears, Render
from bot.slack.verbs import CLICKS

log = logging.getLogger(__name__)
THREADS = 32  # Bolt's own pool has 5, and five slow listeners then stop everything
OLD_BUTTON = "This button no longer does anything; use the newest message of the incident."


@dataclass(frozen=True, slots=True)
class Credentials:
    """What Slack gave the app. `base_url` points at the simulator in the demo; offline, tokens are not verified at the start."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    base_url: str = SLACK


class Surface:
    """Everything that people do in Slack. `app` is the Bolt app, `client` the one client that never repeats a call."""

    def __init__(
        self,
        desk: Desk,
        render: Render,
        keys: Credentials,
        *,
        ears: Ears | None = None,
        commands: Mapping[str, Command] | None = None,
    ) -> None:
        self.desk, self.render, self.keys, self.ears = desk, render, keys, ears or Ears()
        self.commands = known_commands() if commands is None else commands
        self.client: WebClient = web_client(keys.bot_token, keys.base_url)
        self.answers = Answers(self.client, render)
        self.forms = Forms(desk, self.client, render, self.answers)
        self._seen = Seen()
        self._threads = ThreadPoolExecutor(THREADS, "slack")
        self.app = App(
            client=self.client,
            signing_secret=keys.signing_secret or "unused in Socket Mode",
            token_verification_enabled=False,  # Slack may be away when the bot starts; the incidents are not
            listener_executor=self._threads,
        )
        self._register(self.app)

    def close(self) -> None:
        """Let the listeners that run come to their end."""
        self._threads.shutdown(wait=True)

    def _register(self, app: App) -> None:
        app.middleware(self._door)
        app.error(self._stumbled)
        app.command("/aiops")(self._command)
        app.command(re.compile("^/"))(self._called)  # a playbook's own, or one of a playbook that is gone
        for name in CLICKS:
            app.action(name)(self._click)
        for name, opens in self.forms.opens.items():
            app.action(name)(self._guarded(opens))
        for name, takes in self.forms.takes.items():
            app.view(name)(self._guarded(takes))
        app.action("refresh_home")(self._home_again)
        app.event("app_home_opened")(self._home)
        app.event("app_mention")(self._mentioned)
        app.action(re.compile(".*"))(self._old_button)  # last: no click is swallowed
        app.view(re.compile(".*"))(self._old_button)
        app.event(re.compile(".*"))(_nothing)

    def who(self, user: str) -> Principal:
        """Return the person with the roles that they hold at this moment."""
        return self.desk.directory.principal(user)

    def _door(self, body: dict[str, Any], context: BoltContext, next: Callable[[], BoltResponse]) -> BoltResponse:  # noqa: A002  Bolt's name
        name = name_of(body)
        if not self._seen.first(name):
            return BoltResponse(status=200, body="")
        own = context.authorize_result.team_id if context.authorize_result else ""
        if stranger(body, own or ""):
            self.answers.tell(where(body), "Only members of the bot's own workspace may do this.")
            return BoltResponse(status=200, body="")
        context["delivery"] = name
        return next()

    def _command(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        ack()
        started, text = time.monotonic(), str(body.get("text") or "")
        try:
            found = answer(self.desk, text, self.who(str(body["user_id"])), self.commands)
            template, data = found.template, found.data
        except AiopsError as reason:
            template, data = "error", {"text": str(reason), "by": PERSON.findall(str(reason))}
        self._reply(respond, template, data)
        word = (text.split() or ["help"])[0].lower()
        self.ears.measure(f"command {word if word in self.commands else 'unknown'}", time.monotonic() - started)

    def _called(self, ack: Ack, body: dict[str, Any], respond: Respond) -> None:
        """Open the form of the playbook whose own command this is, or say why there is none."""
        ack()
        started, command = time.monotonic(), str(body.get("command") or "")
        try:
            self.forms.called(body, command, str(body.get("text") or ""))
        except AiopsError as reason:
            self._reply(respond, "error", {"text": str(reason), "by": PERSON.findall(str(reason))})
        known = any(playbook.command == command for playbook in self.desk.playbooks.values())
        self.ears.measure(f"command {command if known else 'unknown'}", time.monotonic() - started)

    def _reply(self, respond: Respond, template: str, data: Mapping[str, object]) -> None:
        shown = self.render(template, data)
        _respond(respond, shown.text, list(shown.blocks), list(shown.simple))

    def _click(self, ack: Ack, body: dict[str, Any], action: dict[str, Any]) -> None:
        """Write first, then ack: what was acknowledged is never lost."""
        to, refused = where(body), ""
        try:
            CLICKS[action["action_id"]](self.desk, str(action.get("value", "")), self.who(to.user))
        except AiopsError as reason:
            refused = str(reason)
        ack()
        if refused:
            self.answers.tell(to, refused)
        if (body.get("view") or {}).get("type") == "home":
            self._publish(to)

    def _guarded(self, do: Callable[[Ack, Body, Principal], None]) -> Callable[..., None]:
        def listener(ack: Ack, body: dict[str, Any]) -> None:
            do(ack, body, self.who(where(body).user))

        return listener

    def _old_button(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        self.answers.tell(where(body), OLD_BUTTON)

    def _home(self, event: dict[str, Any]) -> None:
        if event.get("tab", "home") == "home":
            self._publish(Where(str(event["user"])))

    def _home_again(self, ack: Ack, body: dict[str, Any]) -> None:
        ack()
        self._publish(where(body))

    def _publish(self, to: Where) -> None:
        try:
            home.publish(self.desk, self.client, self.render, self.who(to.user))
        except (SlackTrouble, AiopsError) as trouble:
            log.warning("The Home tab of %s could not be shown: %s", to.user, trouble)

    def _mentioned(self, body: dict[str, Any]) -> None:
        help_ = help_answer(self.desk, self.commands)
        self.answers.show(where(body), help_.template, help_.data)

    def _stumbled(self, error: Exception, body: dict[str, Any], context: BoltContext) -> BoltResponse:
        """Tell the person, with an id that finds the log's line; let Slack's retry try again."""
        lookup = secrets.token_hex(4)
        log.error("Listener failed [%s]: %s", lookup, error, exc_info=error)
        self._seen.forget(str(context.get("delivery", "")))
        self.ears.measure("listener failed", 0.0)
        to = where(body)
        if to.user:
            sentence = (
                str(error) if isinstance(error, AiopsError) else "That did not work, and it is the bot's fault; nothing was lost."
            )
            self.answers.tell(to, sentence, lookup)
        return BoltResponse(status=200, body="")


def _respond(respond: Respond, text: str, *versions: list[Any]) -> None:
    """Answer a command; blocks that Slack refuses are sent once more without tables, then as text."""
    for blocks in (*versions, None):
        answered = respond(text=text, blocks=blocks, response_type="ephemeral")
        if getattr(answered, "status_code", 200) < 300:
            return
        log.warning("Slack refuses an answer: %s", getattr(answered, "body", ""))


def _nothing() -> None:
    """Take an event that means nothing to us, so that Slack need not repeat it."""
