"""The engine: workflows that survive the process, in the database that holds everything else.

engine = Durable("sqlite:///aiops.db")
engine.register("run_playbook", body)                        # before launch
engine.launch()
engine.enqueue(connection, "run_playbook", "pb:7", {...}, lane="delays@production")   # commits with the caller
engine.stop()
"""

import logging
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, cast

import sqlalchemy as sa
from dbos import DBOS, DBOSClient
from dbos._error import DBOSConflictingWorkflowError
from dbos._serialization import DBOSPortableJSON, DefaultSerializer
from sqlalchemy.orm import Session

from bot.core.actions import Json
from bot.core.errors import ConfigError, Conflict
from bot.core.ports import Journal
from bot.engine.database import VERSION, EngineTables, connect, once_more, write_ahead
from bot.engine.journal import DurableJournal, Interrupted
from bot.engine.lease import Lease
from bot.engine.outcomes import lost_the_database
from bot.engine.pruning import prune
from bot.engine.reaper import Pulse, Reaper

log = logging.getLogger("bot.engine")

APPLICATION = "aiops-bot"
PLAYBOOKS, CHECKS = "playbooks", "checks"

Body = Callable[[Journal, Json], Json]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the engine looks and how long it waits, in seconds; how much it does at once; how often it tries again.

    A workflow that was at work at that many deaths of its process in a row, and never got ahead, is given up as poison. Whoever was
    at work beside it is suspected too, so runs, which people approved, get more chances than checks, of which the next one comes.
    """

    poll_s: float = 0.5
    beat_s: float = 3.0
    ttl_s: float = 15.0
    runs_at_once: int = 32
    checks_at_once: int = 4
    connections: int = 8
    run_recoveries: int = 20
    check_recoveries: int = 5


@dataclass(frozen=True, slots=True)
class Status:
    """Where a workflow stands: `state` is ENQUEUED, PENDING, SUCCESS, ERROR, CANCELLED or MAX_RECOVERY_ATTEMPTS_EXCEEDED."""

    number: str
    workflow: str
    state: str
    executor: str
    recoveries: int
    result: Json | None = None
    error: str = ""

    @property
    def over(self) -> bool:
        """Nothing more will happen."""
        return self.state not in ("ENQUEUED", "PENDING", "DELAYED")


class Durable:
    """The engine of one process; `url` is the store's own database (a SQLite file, or postgresql+psycopg)."""

    def __init__(self, url: str, *, executor: str = "", pace: Pace | None = None) -> None:
        refuse_pickles()
        quiet_advertising()
        self.url = url
        self.executor = executor or f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"
        self.pace = pace or Pace()
        self._engine = connect(url)
        self._client = DBOSClient(
            system_database_url=url,
            serializer=DBOSPortableJSON,
            system_database_pool_size=2,
            application_name=APPLICATION,
            lazy=True,
        )
        self._lease = Lease(self._engine, self.executor, self.pace.ttl_s)
        self._reaper = Reaper(self._engine, self._lease)
        self._bodies: dict[str, tuple[Body, str]] = {}
        self._stopping = threading.Event()
        self._dbos: DBOS | None = None
        self._pulses: tuple[Pulse, ...] = ()

    def register(self, workflow: str, body: Body, *, queue: str = PLAYBOOKS) -> None:
        """Name a body; `queue` is PLAYBOOKS for what acts, CHECKS for what only looks. Call it before `launch`."""
        self._bodies[workflow] = (body, queue)

    def prepare(self) -> None:
        """Create or migrate the engine's tables; needed once before the first `enqueue`, and done by `launch` too."""
        write_ahead(self._engine)
        once_more(lambda: DBOS.migrate(self.url))
        self._lease.prepare()

    def launch(self) -> None:
        """Take a lease, then start to take work, that of dead processes first.

        Raises:
            Conflict: a process with this executor id is alive.
        """
        self.prepare()
        self._lease.acquire()
        try:
            self._lay_queues()
            self._dbos = self._launched()
        except BaseException:
            self._lease.release()
            raise
        self._reaper.serve(self._dbos)
        reaper = Pulse("reaper", self.pace.beat_s, self._reaper.reap)
        reaper.beat()  # at once; a database that goes away just now costs a beat and not the process
        self._pulses = (Pulse("heart", self.pace.beat_s, self._beat), reaper)
        for pulse in self._pulses:
            pulse.start()

    def stop(self, drain_s: float = 10.0) -> None:
        """Stop taking work, let steps at work end, hand everything else over at once. Workflows go on in the next process."""
        self._stopping.set()
        dbos, self._dbos = self._dbos, None
        if dbos is not None:
            for event in dbos.background_thread_stop_events:
                event.set()
            self._drain(dbos, drain_s)
            for pulse in self._pulses:
                pulse.stop()
            self._lease.release()
            DBOS.destroy(destroy_registry=True)
        self._client.destroy()
        self._engine.dispose()

    def enqueue(self, transaction: sa.Connection | Session, workflow: str, number: str, payload: Json, lane: str = "") -> None:
        """Start a workflow when the caller's transaction commits, once a number; one at a time a lane, oldest first.

        Raises:
            Conflict: the number belongs to another workflow.
        """
        options = self._options(workflow, number, lane)
        with _one_meaning(number):
            self._client.enqueue_in_transaction(transaction, options, dict(payload))

    def enqueue_now(self, workflow: str, number: str, payload: Json, lane: str = "") -> None:
        """Start a workflow at once, in a transaction of its own; otherwise as `enqueue`."""
        with _one_meaning(number):
            self._client.enqueue(self._options(workflow, number, lane), dict(payload))

    def status(self, number: str) -> Status | None:
        """Return where a workflow stands, or None when there is none of this number."""
        found = self._client.list_workflows(workflow_ids=[number], load_input=False)
        return _status(found[0]) if found else None

    def over(self, number: str) -> bool:
        """Return whether nothing more will happen in this workflow, however it ended."""
        status = self.status(number)
        return status is not None and status.over

    def wait(self, number: str, timeout_s: float) -> Status:
        """Return its status once it is over.

        Raises:
            TimeoutError: it is not over yet.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            status = self.status(number)
            if status is not None and status.over:
                return status
            time.sleep(0.05)
        raise TimeoutError(f"Workflow '{number}' was not over after {timeout_s:g} s.")

    def counts(self) -> Mapping[str, int]:
        """Return how many workflows wait, run, were given up as poison, and lie stranded by another engine version."""
        work = EngineTables(self._engine).workflows
        query = sa.select(work.c.status, work.c.application_version, sa.func.count()).group_by(
            work.c.status, work.c.application_version
        )
        live = ("ENQUEUED", "PENDING", "DELAYED")
        with self._engine.connect() as connection:
            rows = connection.execute(query.where(work.c.status.in_((*live, "MAX_RECOVERY_ATTEMPTS_EXCEEDED")))).all()
        return {
            "waiting": sum(n for state, version, n in rows if state in ("ENQUEUED", "DELAYED") and version == VERSION),
            "running": sum(n for state, version, n in rows if state == "PENDING" and version == VERSION),
            "given_up": sum(n for state, _, n in rows if state not in live),
            "stranded": sum(n for state, version, n in rows if state in live and version != VERSION),
        }

    def prune(self, checks: timedelta = timedelta(days=1), playbooks: timedelta = timedelta(days=90)) -> int:
        """Forget workflows that were over so long ago; return how many. The audit log keeps what matters of them."""
        return prune(self._client, CHECKS, checks) + prune(self._client, PLAYBOOKS, playbooks)

    def _launched(self) -> DBOS:
        pace = self.pace
        dbos = DBOS(
            config={
                "name": APPLICATION,
                "system_database_url": self.url,
                "executor_id": self.executor,
                "application_version": VERSION,
                "serializer": DBOSPortableJSON,
                "sys_db_pool_size": pace.connections,
                "notification_listener_polling_interval_sec": pace.poll_s,  # how long `stop` waits for that loop
                "log_level": "WARNING",
            }
        )
        for workflow, (body, queue) in self._bodies.items():
            chances = pace.run_recoveries if queue == PLAYBOOKS else pace.check_recoveries
            DBOS.workflow(name=workflow, max_recovery_attempts=chances)(_named(workflow, partial(self._carry_out, body)))
        DBOS.launch()
        return dbos

    def _lay_queues(self) -> None:
        """Write both queues down before the launch, so that it finds them at once and not at its next look."""
        for queue, at_once in ((PLAYBOOKS, self.pace.runs_at_once), (CHECKS, self.pace.checks_at_once)):
            self._client.register_queue(
                queue, partition_concurrency=1, worker_concurrency=at_once, polling_interval_sec=self.pace.poll_s
            )

    def _carry_out(self, body: Body, payload: Json) -> Json:
        number = cast("str", DBOS.workflow_id)
        if self._stopping.is_set():
            raise Interrupted(number)
        try:
            return dict(body(DurableJournal(number, self._stopping), payload))
        except Exception as error:
            if lost_the_database(error):
                raise Interrupted(number) from error
            log.exception("workflow %s ended in an error that its body did not expect", number)
            raise

    def _beat(self) -> None:
        try:
            known = self._lease.beat()
        except sa.exc.SQLAlchemyError:
            self._reaper.doubt()
            raise
        if not known:
            log.warning("executor %s was slow and had been declared dead; what it ran goes on elsewhere", self.executor)

    def _drain(self, dbos: DBOS, drain_s: float) -> None:
        deadline = time.monotonic() + drain_s
        while dbos._active_workflows_set.activeList() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _options(self, workflow: str, number: str, lane: str) -> Any:
        if workflow not in self._bodies:
            known = ", ".join(sorted(self._bodies)) or "none"
            raise ConfigError(f"No workflow '{workflow}' is registered with the engine. Registered: {known}.")
        return {
            "workflow_name": workflow,
            "queue_name": self._bodies[workflow][1],
            "workflow_id": number,
            "queue_partition_key": lane or number,
            "app_version": VERSION,
        }


class _one_meaning:  # noqa: N801  # reads as a word of the sentence: with _one_meaning(number)
    """Says in our words that a number belongs to another workflow already."""

    def __init__(self, number: str) -> None:
        self._number = number

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, DBOSConflictingWorkflowError):
            raise Conflict(f"'{self._number}' is the number of another workflow already; choose another number.") from error


def _named(workflow: str, run: Callable[[Json], Json]) -> Callable[[Json], Json]:
    """Return a function of its own: the library keeps its marks on the function object and reads its hints."""

    def carried_out(payload: Json) -> Json:
        return run(payload)

    carried_out.__qualname__ = carried_out.__name__ = workflow
    return carried_out


def _status(row: Any) -> Status:
    return Status(
        row.workflow_id,
        row.name,
        row.status,
        row.executor_id or "",
        row.recovery_attempts or 0,
        row.output,
        str(row.error or ""),
    )


def refuse_pickles() -> None:
    """Close the library's own way of reading rows that say they are pickled: who can write rows must not run code here."""

    def refused(_self: object, _text: str) -> object:
        raise ValueError("This row is a pickle; the bot reads JSON only. Who wrote it? Look at the database's access rights.")

    DefaultSerializer.deserialize = refused  # type: ignore[method-assign,assignment]


def quiet_advertising() -> None:
    """Send the library's warnings through our log: it would add a console of its own where it finds no handler."""
    theirs = logging.getLogger("dbos")
    theirs.setLevel(logging.WARNING)
    if not theirs.handlers:
        theirs.addHandler(logging.NullHandler())
