"""Forms: what opens a modal, and what happens with it. A modal is opened within the trigger's three seconds, then filled."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack
from slack_sdk import WebClient

from bot.core.approvals import Principal
from bot.core.errors import AiopsError, NotFound
from bot.flow import break_glass as glass
from bot.flow import called, decide, propose, report, resolve
from bot.flow.desk import Desk
from bot.slack import modals
from bot.slack.answers import PERSON, Answers, Body, where
from bot.slack.client import SlackTrouble, call
from bot.slack.command import whole_number
from bot.slack.ports import Render

log = logging.getLogger(__name__)
Taker = Callable[[Ack, Body, Principal], None]


class Forms:
    """Modals and their answers. `opens` maps action ids, `takes` callback ids."""

    def __init__(self, desk: Desk, client: WebClient, render: Render, answers: Answers) -> None:
        self._desk, self._client, self._render, self._answers = desk, client, render, answers
        self.opens: Mapping[str, Taker] = {
            "details": self._details,
            "propose": self._propose,
            "playbook_chosen": self._redraw,
            "reject": self._reason,
            "break_glass": self._reason,
            "review": self._reason,
            "resolve": self._reason,
        }
        self.takes: Mapping[str, Taker] = {
            "propose": self._proposed,
            "reject": self._rejected,
            "resolve": self._resolved,
            "break_glass": self._broken,
            "review": self._reviewed,
        }

    def _open(self, body: Body, view: modals.View) -> Mapping[str, Any]:
        """Open a modal, above one that is open already."""
        inside = (body.get("view") or {}).get("type") == "modal"
        method = self._client.views_push if inside else self._client.views_open
        opened: Mapping[str, Any] = call(lambda: method(trigger_id=body["trigger_id"], view=view))["view"]
        return opened

    def _fill(self, opened: Mapping[str, Any], title: str, make: Callable[[], modals.View]) -> None:
        """Put the real content into a modal, or the sentence that says why there is none."""
        try:
            view = make()
        except AiopsError as reason:
            view = modals.saying(title, self._worded(str(reason)))
        try:
            call(lambda: self._client.views_update(view_id=opened["id"], hash=opened.get("hash"), view=view))
        except SlackTrouble as trouble:
            log.info("A modal was closed or changed before it was filled: %s", trouble)

    def _details(self, ack: Ack, body: Body, _who: Principal) -> None:
        ack()
        opened, value = self._open(body, modals.loading("Incident")), _value(body)

        def make() -> modals.View:
            number = whole_number(value, "an incident")
            return modals.details(number, self._render("details", report.incident(self._desk, number), view=True).blocks)

        self._fill(opened, "Incident", make)

    def _propose(self, ack: Ack, body: Body, _who: Principal) -> None:
        ack()
        opened, to = self._open(body, modals.loading("Propose a remedy")), where(body)
        self._fill(opened, "Propose a remedy", lambda: self._remedy(to, whole_number(_value(body), "an incident")))

    def called(self, body: Body, command: str, text: str) -> None:
        """Open the form of the playbook whose own command was typed, on the incident that is meant.

        Raises:
            AiopsError: no playbook or no one incident is meant; the sentence says what to write.
        """
        playbook, incident = called.meant(self._desk, command, text)
        opened, to = self._open(body, modals.loading("Propose a remedy")), where(body)
        self._fill(
            opened,
            "Propose a remedy",
            lambda: modals.remedy(to, incident.id, [called.asks(self._desk, incident, playbook)], incident=incident.title),
        )

    def _redraw(self, ack: Ack, body: Body, _who: Principal) -> None:
        """Another playbook was chosen: show its own parameters."""
        ack()
        view, meta = body["view"], modals.recalled(body["view"])
        chosen = str((body["actions"][0].get("selected_option") or {}).get("value", ""))
        to, number = where(body, meta), whole_number(meta.get("number", ""), "an incident")
        self._fill(view, "Propose a remedy", lambda: self._remedy(to, number, chosen))

    def _remedy(self, to: Any, number: int, chosen: str = "") -> modals.View:
        told = propose.options(self._desk, number)
        offers: Any = told["playbooks"]
        resting: Any = told["resting"]
        if not offers:
            raise NotFound(str(told["why_none"]))
        return modals.remedy(to, number, offers, chosen, resting)

    def _reason(self, ack: Ack, body: Body, _who: Principal) -> None:
        ack()
        self._open(body, modals.reason(str(body["actions"][0]["action_id"]), where(body), _value(body)))

    def _proposed(self, ack: Ack, body: Body, who: Principal) -> None:
        """Close the form at once: planning asks the platform, and that may take longer than Slack waits."""
        ack()
        view, meta = body["view"], modals.recalled(body["view"])
        to, parameters = where(body, meta), modals.chosen_parameters(view)
        chosen = modals.typed(view["state"]["values"].get("playbook") or {}) or meta.get("playbook", "")
        try:
            propose.propose(self._desk, whole_number(meta.get("number", ""), "an incident"), chosen, parameters, by=who)
        except AiopsError as reason:
            self._answers.tell(to, str(reason))

    def _rejected(self, ack: Ack, body: Body, who: Principal) -> None:
        number, reason = modals.recalled(body["view"]).get("number", ""), modals.reason_of(body["view"])
        self._written(ack, lambda: decide.reject(self._desk, number, by=who, reason=reason))

    def _broken(self, ack: Ack, body: Body, who: Principal) -> None:
        number, reason = modals.recalled(body["view"]).get("number", ""), modals.reason_of(body["view"])
        self._written(ack, lambda: glass.break_glass(self._desk, number, by=who, reason=reason))

    def _reviewed(self, ack: Ack, body: Body, who: Principal) -> None:
        number, words = modals.recalled(body["view"]).get("number", ""), modals.reason_of(body["view"])
        self._written(ack, lambda: glass.review(self._desk, number, by=who, words=words))

    def _resolved(self, ack: Ack, body: Body, who: Principal) -> None:
        number, cause = modals.recalled(body["view"]).get("number", ""), modals.reason_of(body["view"])
        self._written(ack, lambda: resolve.resolve(self._desk, whole_number(number, "an incident"), by=who, cause=cause))

    def _written(self, ack: Ack, write: Callable[[], object]) -> None:
        """Write, then close the form; a refusal stands below the field, and what was typed is kept."""
        try:
            write()
        except AiopsError as reason:
            ack(response_action="errors", errors={"reason": self._worded(str(reason))})
            return
        ack()

    def _worded(self, sentence: str) -> str:
        """Return a sentence for a place that knows no mentions."""
        return PERSON.sub(lambda found: "@" + (self._desk.directory.principal(found[1]).name or found[1]), sentence)


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value", ""))
