"""The story: a summer that only looks alarming, an autumn that really is, and a feed that falls silent on New Year's Eve.

Nothing is staged but the people: the flights, the weather and the labels are those of 2013, the models are trained on them, and
when the bot opens an incident is the bot's own decision. The story only moves the clock on and waits.
"""

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console

from bot.core.approvals import Standing
from bot.core.incidents import Incident
from bot.core.ports import Store
from bot.core.runs import Run
from bot.demo.cast import Cast, Scripted, Visitors
from bot.demo.company import DATA, DIGEST, INCIDENTS, SERVING, Company
from bot.demo.leash import DemoFailed
from bot.demo.proof import proofs

SPRING = datetime(2013, 5, 1, tzinfo=UTC)
JULY, JULY_ENDS = datetime(2013, 7, 10, tzinfo=UTC), datetime(2013, 7, 12, 12, tzinfo=UTC)
LATE_AUGUST, SEPTEMBER_ENDS = datetime(2013, 8, 26, tzinfo=UTC), datetime(2013, 9, 25, tzinfo=UTC)
LAST_DAYS, YEAR_ENDS = datetime(2013, 12, 30, 3, tzinfo=UTC), datetime(2014, 1, 1, tzinfo=UTC)
MINUTE_SLOTS = timedelta(minutes=2)
PATIENCE_S = 60.0
DAY_S = 86_400.0


T = TypeVar("T")


@dataclass
class Tempo:
    """Seconds of data a second of the reader's time: for days that only pass, and for the hours in which people decide."""

    days: float = DAY_S / 5
    hours: float = 1_800.0

    def times(self, speed: float) -> "Tempo":
        """Return it faster."""
        return Tempo(self.days * speed, self.hours * speed)


@dataclass
class Stage:
    """What the story is told with."""

    company: Company
    store: Store
    tempo: Tempo
    console: Console
    progress: float = 0.0
    began: float = field(default_factory=time.monotonic)

    @property
    def cast(self) -> Cast:
        """Whoever plays."""
        return self._cast

    def play_with(self, cast: Cast) -> None:
        """Give the parts to these people."""
        self._cast = cast

    def narrate(self, text: str, progress: float | None = None) -> None:
        """Say where we are, in the shell and above the page."""
        self.progress = self.progress if progress is None else progress
        self.company.tell(f"{self.company.replay.position:%d %B %Y}  ·  {text}", self.progress)
        told = time.monotonic() - self.began
        self.console.print(f"[dim]{told:4.0f} s  {self.company.replay.position:%d %b %Y %H:%M}[/]  {text}", soft_wrap=True)

    def incident(self, family: str) -> Incident | None:
        """Return the newest incident of this family, if the bot has opened one."""
        with self.store.read() as unit:
            found = [i for i in unit.incidents() if i.family.value == family]
        return found[0] if found else None

    def runs(self, number: int) -> list[Run]:
        """Return the runs of an incident."""
        with self.store.read() as unit:
            return list(unit.runs(incident=number))

    def pass_days(self, until: datetime, *, every_s: float | None = None) -> None:
        """Let the flights fly until then, or until the bot has opened an incident that is not yet known."""
        self.company.replay.pace.speed = every_s or self.tempo.days
        self.company.replay.live(until)
        self.company.platform.check()

    def skip(self, until: datetime, version: str) -> None:
        """Pass over a quiet stretch: scored and logged by the version that served, at once."""
        self.company.replay.backfill(until, version, self.company.model(version))


def prologue(stage: Stage) -> None:
    """July: the hottest temperatures the model has ever seen, and it does well."""
    stage.narrate("July 2013. v3 serves; temperatures are far from anything in its training months. Does that matter?", 0.05)
    stage.pass_days(JULY_ENDS)
    _settled(stage, JULY_ENDS)
    stage.narrate("The drift is huge, the labels say the model does well: a digest line, and nobody is woken.", 0.15)
    stage.cast.looks_around()


def autumn(stage: Stage) -> Incident:
    """Late August: warm no longer means late, and v3 does not know."""
    stage.skip(LATE_AUGUST, SERVING)
    stage.narrate(
        "Late August. Warm no longer means late, but v3 keeps promising delays. Labels arrive hours after each flight.", 0.25
    )
    incident = _until(stage, "performance", SEPTEMBER_ENDS)
    stage.narrate(f"Incident #{incident.id} is open: one thread, with the evidence.", 0.4)
    return incident


def mending(stage: Stage, incident: Incident) -> None:
    """People decide while flights go on; then traffic moves, and fresh labels judge."""
    replay = stage.company.replay
    replay.pace.slot = MINUTE_SLOTS
    with _meanwhile(stage, stage.tempo.hours):
        stage.cast.mends(incident.id)
        stage.narrate("Approved. Traffic moves on the real Envoy step by step, read back and counted.", 0.55)
        _wait(stage, "the traffic to be moved", lambda: any(r.applied_at or r.state.over for r in stage.runs(incident.id)) or None)
    replay.pace.slot = timedelta(hours=1)
    stage.narrate("v2 serves. The same checks wait for fresh labels: 5,000 of them, or no verdict.", 0.65)
    while replay.position < SEPTEMBER_ENDS and _open(stage, incident.id):
        stage.pass_days(replay.position + timedelta(hours=3))
        time.sleep(0.05)
    _wait(stage, "the incident to be closed by fresh data", lambda: not _open(stage, incident.id) or None)
    stage.narrate(f"Incident #{incident.id} is resolved by fresh data, with its time to resolve and an audit trail.", 0.8)
    stage.cast.looks_back()


def new_years_eve(stage: Stage) -> None:
    """31 December: the weather is gone, at the source."""
    stage.skip(LAST_DAYS, "v2")
    stage.narrate("30 December. Within hours the weather feed will fall silent, as it did.", 0.88)
    _until(stage, "data_quality", YEAR_ENDS)
    stage.cast.hears_of_the_feed()
    stage.narrate("The feed is broken at its source: handed to data engineering, and no playbook is offered.", 1.0)


def _open(stage: Stage, number: int) -> bool:
    with stage.store.read() as unit:
        return unit.incident(number).open


def _until(stage: Stage, family: str, last: datetime) -> Incident:
    """Let time pass until the bot opens an incident of this family; the date is its own decision."""
    replay = stage.company.replay
    while replay.position < last:
        stage.pass_days(replay.position + timedelta(hours=3))
        found = _looked(stage, family)
        if found is not None:
            return found
    return _wait(stage, f"an incident about {family.replace('_', ' ')}", lambda: stage.incident(family))


def _looked(stage: Stage, family: str) -> Incident | None:
    """Give the bot the time to look at slots that are due before the data run ahead of it."""
    _settled(stage, stage.company.replay.position)
    found = stage.incident(family)
    return found if found is not None and found.open else None


def _settled(stage: Stage, at: datetime) -> None:
    """Wait until the bot has looked at the newest three-hourly slot before this time."""
    slot = at.replace(hour=at.hour // 3 * 3, minute=0, second=0, microsecond=0)

    def looked() -> bool | None:
        with stage.store.read() as unit:
            ends = [f.window.end for f in unit.latest() if f.check == "missing"]
        return bool(ends and max(ends) >= slot) or None

    _wait(stage, "the bot to look", looked)


def _wait(stage: Stage, what: str, ready: Callable[[], T | None], within: float = PATIENCE_S) -> T:
    """Return what `ready` says as soon as it says something.

    Raises:
        DemoFailed: it did not come; the sentence says what, and where the bot's log lies.
    """
    deadline = time.monotonic() + within
    while not (said := ready()):
        bot = stage.company.bot
        if time.monotonic() > deadline or (bot is not None and not bot.alive):
            raise DemoFailed(f"The story waited for {what}, and it did not come. The bot's log: {stage.company.folder / 'bot.log'}")
        time.sleep(0.1)
    return said


class _meanwhile:  # noqa: N801  reads as a word of the story
    """Flights go on while people think."""

    def __init__(self, stage: Stage, speed: float) -> None:
        self._replay = stage.company.replay
        self._replay.pace.speed = speed
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._fly, name="meanwhile", daemon=True)

    def _fly(self) -> None:
        while not self._over.is_set():
            self._replay.live(self._replay.position + self._replay.pace.slot)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def main(
    *,
    manifest: Mapping[str, Any],
    open_record: Callable[[Path], AbstractContextManager[Store]],
    headless: bool = False,
    speed: float = 1.0,
    keep: Path | None = None,
    port: int = 0,
    seconds: float | None = None,
    transport: str = "socket",
) -> int:
    """Play the story and return the exit code.

    Args:
        manifest: the app's manifest, for the simulator.
        open_record: opens the database of the bot that an `aiops.yaml` describes; given by the shell, which knows every room.
        headless: two scripted people play it; 0 only if everything promised really happened.
        speed: how much faster than by default.
        keep: a folder for databases and logs; a temporary one is removed.
        port: where the page listens.
        transport: how Slack reaches the bot, "socket" or "http" (signed).
        seconds: stop after so long, where somebody sits at the page; by default it goes on until Ctrl-C.
    """
    console, started = Console(), time.monotonic()
    if keep is not None and keep.exists() and any(keep.iterdir()):
        console.print(f"[red]{keep} is not empty:[/] the demo begins with a fresh year; name a new folder.")
        return 2
    folder = keep.resolve() if keep else Path(tempfile.mkdtemp(prefix="aiops-demo-"))
    console.print("Training three versions on real flights, starting Envoy, the model servers and the Slack …")
    try:
        with Company(folder, manifest, start=SPRING, port=port, transport=transport) as company:
            company.replay.backfill(JULY, SERVING, company.model(SERVING))
            company.hire()
            with open_record(company.config) as store:
                stage = _stage(company, store, console, headless=headless, speed=speed)
                return _play(stage, started, headless=headless, seconds=seconds)
    except (DemoFailed, AssertionError) as reason:
        console.print(f"[red]The demo failed:[/] {reason}", soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            console.print(f"Databases and logs are kept in {folder}")


def _stage(company: Company, store: Store, console: Console, *, headless: bool, speed: float) -> Stage:
    tempo = Tempo(DAY_S, 3_600.0) if headless else Tempo()
    stage = Stage(company, store, tempo.times(speed), console)

    def decided(number: int) -> bool:
        approved = any(p.standing is Standing.APPROVED for p in _proposals(store, number))
        return approved or not _open(stage, number)

    stage.play_with(Scripted(company.slack) if headless else Visitors(stage.narrate, decided))
    return stage


def _proposals(store: Store, number: int) -> list[Any]:
    with store.read() as unit:
        return list(unit.proposals(incident=number))


def _play(stage: Stage, started: float, *, headless: bool, seconds: float | None) -> int:
    if not headless:
        stage.console.print(f"\n  Open [bold]{stage.company.slack.url}[/]  (Ctrl-C ends it)\n")
    prologue(stage)
    mending(stage, autumn(stage))
    new_years_eve(stage)
    if headless:
        return _proven(stage, started)
    stage.narrate("That was 2013. The page stays open; Ctrl-C ends it.", 1.0)
    time.sleep(seconds if seconds is not None else sys.maxsize / 1e10)
    return 0


def _proven(stage: Stage, started: float) -> int:
    """Print the chat, then hold every promise against Envoy and the database."""
    slack = stage.company.slack
    for channel in (DIGEST, INCIDENTS, DATA):
        stage.console.rule(f"#{channel}")
        stage.console.print(slack.transcript(channel), markup=False, highlight=False, soft_wrap=True)
    stage.console.rule("What was promised, and what was measured")
    held = True
    for promise, measured, ok in proofs(stage.company, stage.store):
        stage.console.print(f"{'✔' if ok else '✘'} {promise}: {measured}", markup=False, highlight=False, soft_wrap=True)
        held = held and ok
    stage.console.print(f"{time.monotonic() - started:.0f} s")
    return 0 if held else 1
