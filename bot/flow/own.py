"""What the bot does by itself, without a platform: it plays the part `bot` of every model's playbooks.

Both of its deeds are notices, named by the key of the step: a kill at any moment posts nothing twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.core import own
from bot.core.actions import UNDO
from bot.core.audit import AuditEntry
from bot.core.errors import NotFound
from bot.core.notices import Notice, Posted
from bot.core.ports import Unit
from bot.core.runs import Run
from bot.flow.around import around
from bot.flow.desk import Desk


@dataclass
class Own:
    """The bot's own hands, for the actions `notify` and `look_around`."""

    desk: Desk
    name: str = own.NAME

    def teams(self) -> Sequence[str]:
        """Return the teams that can be told, sorted."""
        return self.desk.directory.teams()

    def tell(self, team: str, words: str, key: str) -> None:
        """Queue the message to a team; a second call with the same key changes nothing."""
        with self.desk.store.write() as unit:
            if unit.posted(_name(key)):
                return
            run = unit.run(run_of(key))
            told = {"team": team, "words": words, "asked_by": unit.proposal(run.proposal).proposed_by, **_about(unit, run)}
            unit.announce(
                Notice(_name(key), self.desk.directory.channel(team), "told", told, mention=self.desk.directory.mention(team))
            )
            self._audit(unit, run, "team.told", key, {"team": team, "words": words})

    def told(self, key: str) -> Posted | None:
        """Return what came of it; None where nothing was queued under this key."""
        with self.desk.store.read() as unit:
            return unit.posted(_name(key))

    def take_back(self, key: str) -> None:
        """Say in the message itself that it no longer holds."""
        with self.desk.store.write() as unit:
            told = unit.posted(_name(key))
            if told is None or told.notice.data.get("taken_back"):
                return
            unit.announce(replace(told.notice, data={**told.notice.data, "taken_back": True}))
            self._audit(unit, unit.run(run_of(key)), "team.untold", key, {})

    def look_around(self, key: str) -> None:
        """Look at everything that is known of the run's model now, and write it into the incident's thread, once a key."""
        with self.desk.store.read() as unit:
            run = unit.run(run_of(key))
            incident = unit.incident(run.incident)
            if unit.posted(_name(key)):
                return
        seen = around(self.desk, incident)
        with self.desk.store.write() as unit:
            unit.announce(Notice(_name(key), "", "around", seen, thread=f"incident:{incident.id}"))
            self._audit(unit, run, "incident.looked_around", key, {"seen": seen["summary"]})

    def seen(self, key: str) -> str:
        """Return in words what was seen; empty where nothing was written under this key."""
        told = self.told(key)
        return str(told.notice.data["summary"]) if told else ""

    def _audit(self, unit: Unit, run: Run, action: str, key: str, payload: dict[str, object]) -> None:
        unit.audit(AuditEntry(self.desk.clock.now(), own.NAME, action, key, run.incident, payload))


def run_of(key: str) -> str:
    """Return the number of the run that a step's key belongs to, or raise NotFound."""
    workflow, _, step = key.removesuffix(UNDO).rpartition(":")
    if not workflow or not step:
        raise NotFound(f"'{key[:80]}' is no key of a step.")
    return workflow.rpartition(":")[2]


def _name(key: str) -> str:
    return f"step:{key.removesuffix(UNDO)}"


def _about(unit: Unit, run: Run) -> dict[str, object]:
    incident = unit.incident(run.incident)
    root = unit.posted(f"incident:{incident.id}")
    return {
        "number": incident.id,
        "severity": incident.severity.value,
        "model": incident.model,
        "environment": incident.environment,
        "title": incident.title,
        "window": str(incident.window),
        "place": root.notice.channel if root else "",
        "taken_back": False,
    }
