"""Who decides: two scripted people over the page's own HTTP surface, or whoever sits at the page."""

import time
from collections.abc import Callable
from typing import Protocol

from bot.demo.company import DATA, INCIDENTS
from bot.demo.leash import DemoFailed
from bot.simulator import Person, Simulator

LONG_S = 45.0
REFUSAL = "You proposed this; someone else has to approve it."


class Cast(Protocol):
    """The people of the story; each scene returns when it has been played."""

    def looks_around(self) -> None:
        """All is well; somebody asks for the status."""
        ...

    def mends(self, number: int) -> None:
        """An incident is open; somebody proposes, somebody else approves."""
        ...

    def looks_back(self) -> None:
        """It is resolved; somebody reads what happened."""
        ...

    def hears_of_the_feed(self) -> None:
        """The weather feed is gone; data engineering has it."""
        ...


class Scripted:
    """Ana proposes and may not approve; Bo approves; Cy feeds the weather; Dee may only look."""

    def __init__(self, slack: Simulator) -> None:
        self.ana, self.bo, self.cy, self.dee = (Person(slack, name) for name in ("ana", "bo", "cy", "dee"))
        self.said: list[str] = []

    def looks_around(self) -> None:
        """Ana asks while all is well."""
        self._asks(self.ana, "/aiops status", "healthy")

    def mends(self, number: int) -> None:
        """The whole way from the card to the decision, with everybody who may not in between."""
        self.ana.sees(f"#{number}", within=LONG_S, channel=INCIDENTS)
        self.ana.sees("is losing", within=LONG_S, channel=INCIDENTS)
        self.ana.sees("Roll back to v2", within=LONG_S)
        self._told("ana", self.ana.clicks("Acknowledge", channel=INCIDENTS, within=LONG_S))
        self.ana.clicks("Propose a remedy…", channel=INCIDENTS, within=LONG_S)
        self.ana.sees("Moves traffic to an earlier version", within=LONG_S)  # the form opens at once and fills a moment later
        if problems := self.ana.submits(within=LONG_S):
            raise DemoFailed(f"ana's form was refused: {problems}")
        self.ana.sees("Roll back", within=LONG_S)
        self.ana.clicks("Approve", within=LONG_S)
        self.said.append(f"aiops to Ana alone: {self.ana.sees(REFUSAL, within=LONG_S)}")
        self.dee.clicks("Approve", within=LONG_S)
        self.dee.sees("Only ml-oncall may decide this", within=LONG_S)
        self.bo.clicks("Approve", within=LONG_S)

    def looks_back(self) -> None:
        """Bo reads the report, the incidents and the record."""
        self._asks(self.bo, "/aiops status", "v2 100")
        self._asks(self.bo, "/aiops incidents", "resolved")
        self._asks(self.bo, "/aiops report", "median")
        self._asks(self.bo, "/aiops audit", "audit #")

    def hears_of_the_feed(self) -> None:
        """Cy finds it in the channel of the team that can mend it, and acknowledges."""
        self.cy.sees("broken data in", within=LONG_S, channel=DATA)
        self.cy.sees("neither rollback nor retraining would mend it", within=LONG_S, channel=DATA)
        self.cy.clicks("Acknowledge", channel=DATA, within=LONG_S)
        self._asks(self.cy, "/aiops status", "broken", channel=DATA)

    def _asks(self, who: Person, command: str, expected: str, channel: str = INCIDENTS) -> None:
        trouble = who.says(command, channel=channel)
        if trouble:
            raise DemoFailed(f"{command} was refused: {trouble}")
        who.sees(expected, within=LONG_S, channel=channel)
        self.said.append(f"{who.name} asked {command} and was answered.")

    @staticmethod
    def _told(name: str, trouble: str | None) -> None:
        if trouble:
            raise DemoFailed(f"{name}'s click was not taken: {trouble}")


class Visitors:
    """Whoever sits at the page: the story says what could be pressed and waits for it."""

    def __init__(self, narrate: Callable[[str], None], decided: Callable[[int], bool]) -> None:
        """Take how to speak to them, and how to see that they have decided about an incident."""
        self._narrate, self._decided = narrate, decided

    def looks_around(self) -> None:
        """Give them a moment to type."""
        self._narrate("All is well. Try it: type /aiops status in the channel.")

    def mends(self, number: int) -> None:
        """Wait until they have approved a plan, or have closed the incident in their own way."""
        self._narrate(
            "An incident is open. As Ana: open its thread, press “Propose a remedy…”, then try to approve it. "
            "Then act as Bo (“Acting as”, at the bottom left or in the menu) and approve."
        )
        while not self._decided(number):
            time.sleep(0.3)

    def looks_back(self) -> None:
        """Give them a moment to read."""
        self._narrate("Resolved. Try /aiops report, /aiops incidents and /aiops audit, or the Home tab.")
        time.sleep(12)

    def hears_of_the_feed(self) -> None:
        """Point at the other channel."""
        self._narrate("New Year's Eve: the weather feed is gone. See #data-engineering: no rollback would mend that.")
