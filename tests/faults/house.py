"""A small real company for fault tests: its edge, its Slack, its log, and the bot, in this process or in one that may be killed."""

import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from sys import executable
from typing import Any, Self

import httpx
import sqlalchemy as sa

from bot.app import Rhythm, credentials, living, manifest, open_house
from bot.config import load_settings
from bot.core.incidents import Incident
from bot.core.ports import Unit
from bot.core.runs import Run
from bot.demo.clock import DataClock
from bot.demo.leash import Leashed
from bot.engine.database import EngineTables, connect
from bot.engine.lease import leases
from bot.simulator import Person, Simulator
from bot.store.database import open_store
from bot.store.outbox import Outbox
from tests.faults import invariants
from tests.faults.edge import EARLIER, Edge
from tests.faults.papers import JUDGED, LOSING, PEOPLE, PLACE, QUIET, log, playbook, settings, workspace

HURRY = Rhythm(settle_s=1.5, claim_s=2.0, expiry_s=0.3, reconcile_s=0.3, posts_per_s=50.0, ping_s=0.3)
FORGETFUL = replace(HURRY, expiry_s=86_400.0)
"""Never looks whether a proposal has expired."""
RECOVERY_S = 30.0
DEAD_S = 0.5


class House:
    """Everything that runs, and what happened to it: `deaths` are the stretches (monotonic) in which nobody watched.

    `secrets` is what a story gives the bot besides Slack's tokens, and what may be seen of it nowhere: name → text.
    """

    def __init__(
        self, folder: Path, url: str, edge: Edge, *, mends: bool = True, expires: str = "4h", trains: bool = False
    ) -> None:
        self.folder, self.edge = folder, edge
        self.secrets: dict[str, str] = {}
        self.deaths: list[tuple[float, float]] = []
        self.recoveries: dict[str, float] = {}
        self.killed_inside = 0
        self._died_at = self._back_at = 0.0
        self._port = 0
        self._bot: Leashed | None = None
        self._other: Leashed | None = None
        self._open = ExitStack()
        (folder / "database").write_text(url, "utf-8")
        (folder / "playbooks").mkdir()
        (folder / "playbooks" / "rollback.yaml").write_text(playbook(), "utf-8")
        log(folder / "log.db", mends=mends)
        self.clock = DataClock.starting(folder / "clock", QUIET)
        self.slack = self._open.enter_context(Simulator(workspace(manifest())))
        self.people = {name: self._open.enter_context(Person(self.slack, name)) for name in PEOPLE}
        self.store = open_store(url)
        self._open.callback(self.store.close)
        self._database = connect(url)
        self._open.callback(self._database.dispose)
        self.outbox = Outbox(self.store)
        self.config = folder / "aiops.yaml"
        self.config.write_text(settings(folder, edge, self.slack.api_url, expires=expires, trains=trains), "utf-8")

    # The bot.

    @property
    def tokens(self) -> dict[str, str]:
        app = self.slack.app
        return {"SLACK_BOT_TOKEN": app.bot_token, "SLACK_APP_TOKEN": app.app_token, "SLACK_SIGNING_SECRET": app.signing_secret}

    def starts(self) -> None:
        """Start the bot as its users do, in a process of its own. After a death, recovery counts from here."""
        self._back_at = time.monotonic()
        if self._died_at:
            self.deaths.append((self._died_at, self._back_at))  # its engine works before its Slack does
        self._bot = self._replica("bot.log")
        self._bot.wait_for(lambda: self.slack.room.deliver.reachable or None, 40)

    def is_joined(self) -> None:
        """Start a second replica of the bot on the same database, and wait until it is there."""
        self._other = self._replica("other.log")
        self._other.wait_for(lambda: len(self.executors) == 2 or None, 40)

    def _replica(self, log: str) -> Leashed:
        env = {**self.tokens, "MPLCONFIGDIR": str(self.folder.parent / "matplotlib")}
        command = [executable, "-m", "bot", "--config", str(self.config), "serve"]
        started = Leashed(command, self.folder / log, env=env, foreign=True)
        self._open.callback(started.kill)
        return started

    @property
    def executors(self) -> dict[str, int]:
        """Which process each engine on the database says that it is: executor → process id."""
        with self._database.connect() as connection:
            return {row.executor: row.pid for row in connection.execute(sa.select(leases))}

    def owner_of(self, run: str) -> str:
        """Return the executor that carries out this run now."""
        work = EngineTables(self._database).workflows
        with self._database.connect() as connection:
            return str(connection.scalar(sa.select(work.c.executor_id).where(work.c.workflow_uuid == run)))

    def owner_dies(self, run: str) -> str:
        """Kill the replica that carries out this run, whichever it is; the other one lives on. Return who died."""
        owner = self.owner_of(run)
        os.kill(self.executors[owner], signal.SIGKILL)
        self._back_at = time.monotonic()
        return owner

    def dies(self) -> None:
        """Kill the bot with SIGKILL, and let the world go on without it for a moment."""
        assert self._bot is not None
        self._bot.kill()
        self._died_at = time.monotonic()
        self.until("the dead bot's socket is gone", lambda: not self.slack.room.deliver.reachable)
        time.sleep(DEAD_S)

    @contextmanager
    def lives(self, rhythm: Rhythm = HURRY) -> Iterator[Self]:
        """Let the bot live in this process: nothing is killed, so it need not start anew."""
        handler = logging.FileHandler(self.folder / "bot.log")
        logging.getLogger().addHandler(handler)
        try:
            read = load_settings(self.config)
            with open_house(read, folder=self.folder) as house, living(house, credentials(read, self.tokens), rhythm) as life:
                self._port = life.port
                self.slack.wait_for_app()
                yield self
        finally:
            logging.getLogger().removeHandler(handler)
            handler.close()

    # What happens.

    def loses(self) -> None:
        """It is ten o'clock: the last day's predictions are judged."""
        self.clock.advance(LOSING)

    def is_judged(self) -> None:
        """Half an hour later: enough fresh rows to say whether the remedy helped."""
        self.clock.advance(JUDGED)

    def proposed(self, remedy: str = "Sends traffic to an earlier version") -> Callable[[str], Callable[[], str | None]]:
        """Lose, and let Cy propose the remedy; return who-presses-Approve, to be pressed at the right moment."""
        self.loses()
        return self.asked(remedy, f"Roll back to {EARLIER}")

    def asked(self, remedy: str, suggestion: str, **chosen: str) -> Callable[[str], Callable[[], str | None]]:
        """Let Cy propose the remedy that is on offer, once the thread suggests something; return who-presses-Approve."""
        cy = self.people["cy"]
        cy.sees(suggestion, within=20)
        cy.clicks("Propose a remedy…", within=10)
        cy.sees(remedy, within=10)
        for field, value in chosen.items():
            cy.fills(field, value)
        assert not cy.submits()
        return lambda name: self.finger(name, "Approve")

    def finger(self, name: str, label: str) -> Callable[[], str | None]:
        """Lay somebody's finger on a button; press it by calling what is returned. It may be gone by then, as in life."""
        person = Person(self.slack, name)
        self._open.callback(person.close)
        path, body, button = person._wait(lambda: person._button(label, None, PLACE), 20, f"a button {label!r}")

        def press() -> str | None:
            answer = person._post(path, {**body, "action_id": button["action_id"]})
            return None if answer.get("ok") else str(answer)

        return press

    def until(self, what: str, seen: Callable[[], Any], within: float = RECOVERY_S) -> float:
        """Wait until it is seen; return how long that took, in seconds."""
        began = time.monotonic()
        while not seen():
            passed = time.monotonic() - began
            assert passed < within, f"not within {within:g} s: {what}\n{self.slack.transcript(PLACE)}\n{self.log()[-3_000:]}"
            time.sleep(0.03)
        return time.monotonic() - began

    def recovers(self, what: str, seen: Callable[[], Any]) -> None:
        """Wait until it is seen, and remember how long that took since the fault was over: since the start of a killed bot."""
        began = self._back_at or time.monotonic()
        self.until(what, seen, 2 * RECOVERY_S)
        self.recoveries[what] = time.monotonic() - began

    def is_level(self) -> bool:
        """Whether Slack shows everything that the database wants to be shown."""
        return self.outbox.depth_and_oldest()[0] == 0

    # What there is.

    def read(self, ask: Callable[[Unit], Any]) -> Any:
        with self.store.read() as unit:
            return ask(unit)

    @property
    def incidents(self) -> list[Incident]:
        return list(self.read(lambda unit: unit.incidents()))

    @property
    def runs(self) -> list[Run]:
        return list(self.read(lambda unit: unit.runs()))

    @property
    def is_over(self) -> bool:
        """Whether there are runs and all have ended."""
        return bool(self.runs) and all(run.state.over for run in self.runs)

    def audited(self, action: str) -> list[Any]:
        """Return the rows of the audit log with this action, oldest first."""
        return [row for row in self.read(lambda unit: unit.audit_rows(100_000)) if row.entry.action == action]

    def log(self) -> str:
        return "".join(
            (self.folder / name).read_text("utf-8", "replace") for name in ("bot.log", "other.log") if (self.folder / name).exists()
        )

    def metrics(self) -> str:
        """Return the bot's own metrics page, as long as it lives."""
        for replica, name in ((self._bot, "bot.log"), (self._other, "other.log")):
            if replica is not None and replica.alive:
                said = (self.folder / name).read_text("utf-8", "replace")
                self._port = int(re.findall(r"health at port (\d+)", said)[-1])
        return httpx.get(f"http://127.0.0.1:{self._port}/metrics", trust_env=False).raise_for_status().text

    def invariants(self) -> None:
        """Hold everything that was seen against I1 to I8; the bot must live."""
        self.until("Slack is level with the database", self.is_level, 45)
        invariants.hold(self)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
