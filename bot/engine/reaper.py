"""Who takes over: every beat, the work of dead processes goes back to its queue, where exactly one living process picks it up."""

import logging
import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from dbos import DBOS
from dbos._utils import INTERNAL_QUEUE_NAME

from bot.engine.database import VERSION, EngineTables
from bot.engine.lease import Lease

log = logging.getLogger("bot.engine")

HONEST_LIFE_S = 60.0
"""Work that ran so long before its process died was not what killed it."""


class Reaper:
    """Recovers the work of executors that are dead, and of those that nobody remembers."""

    def __init__(self, engine: sa.Engine, lease: Lease) -> None:
        self._engine = engine
        self._lease = lease
        self._tables = EngineTables(engine)
        self._trusts_clocks_from = 0.0
        self._orphaned_since: dict[str, float] = {}
        self._idle_since: dict[tuple[str, str], float] = {}
        self._dbos: DBOS | None = None

    def serve(self, dbos: DBOS) -> None:
        """Look after this engine's own work too."""
        self._dbos = dbos

    def doubt(self) -> None:
        """Say that the database was away: everybody's lease looks run out then, so wait until all had time to beat again."""
        self._trusts_clocks_from = time.monotonic() + self._lease.ttl_s

    def reap(self) -> list[str]:
        """Take over what can be taken over now; return the executors that were found dead."""
        try:
            self._pick_up()
            return self._bury()
        except sa.exc.SQLAlchemyError:
            self.doubt()
            raise

    def _bury(self) -> list[str]:
        if time.monotonic() < self._trusts_clocks_from:
            return []
        dead, orphaned = self._lease.dead(), self._long_orphaned()
        for executor in (*dead, *orphaned):
            self._forgive(executor)
            DBOS._recover_pending_workflows([executor])
        for executor in dead:
            if self._lease.forget(executor):  # not while any of its work could not be moved, so that the next beat tries again
                log.info("executor %s is dead; its work goes on elsewhere", executor)
        return [*dead, *orphaned]

    def _pick_up(self) -> None:
        """Put back what this process has claimed and is not doing.

        So it is left when the database goes away between the claim and the work, or while an outcome is written. One and the same
        claim must have lain idle for a while: a fresh one needs a moment to begin, an ended one a moment to be written down.
        """
        if self._dbos is None:
            return
        at_work, seen, now = set(self._dbos._active_workflows_set.activeList()), self._idle_since, time.monotonic()
        claims = [claim for claim in self._claims() if claim[0] not in at_work]
        self._idle_since = {claim: seen.get(claim, now) for claim in claims}
        dropped = sorted(number for (number, _), since in self._idle_since.items() if now - since >= self._lease.ttl_s / 4)
        if dropped:
            self._forgive(self._lease.executor)
        for number in dropped:
            log.warning("workflow %s was dropped by this process and is taken up again", number)
            self._dbos._sys_db.reenqueue_for_recovery(number, [self._lease.executor], INTERNAL_QUEUE_NAME)

    def _claims(self) -> list[tuple[str, str]]:
        """Return what the database says this process is doing: each workflow and the token of its claim.

        When it was claimed would not do: SQLite tells whole seconds, and work that is put back is claimed again within one.
        """
        work = self._tables.workflows
        mine = (work.c.status == "PENDING", work.c.executor_id == self._lease.executor, work.c.application_version == VERSION)
        claims = sa.select(work.c.workflow_uuid, sa.func.coalesce(work.c.owner_xid, "")).where(*mine)
        with self._engine.connect() as connection:
            return [(number, token) for number, token in connection.execute(claims)]

    def _long_orphaned(self) -> list[str]:
        """Return owners without a lease, once a living one that was taken for dead had the time to write its lease again."""
        seen, now = self._orphaned_since, time.monotonic()
        self._orphaned_since = {executor: seen.get(executor, now) for executor in self._lease.orphaned()}
        return [executor for executor, since in self._orphaned_since.items() if now - since >= self._lease.ttl_s]

    def _forgive(self, executor: str) -> None:
        """Count recoveries from one again for work that got ahead in its last life: only work that kills its process is poison."""
        work, steps = self._tables.workflows, self._tables.steps
        got_ahead = sa.exists().where(
            steps.c.workflow_uuid == work.c.workflow_uuid, steps.c.completed_at_epoch_ms >= work.c.started_at_epoch_ms
        )
        ran_long = work.c.started_at_epoch_ms < int((time.time() - HONEST_LIFE_S) * 1000)
        mine = (work.c.status == "PENDING", work.c.executor_id == executor, work.c.recovery_attempts > 1)
        with self._engine.begin() as connection:
            connection.execute(sa.update(work).where(*mine, sa.or_(got_ahead, ran_long)).values(recovery_attempts=1))


class Pulse(threading.Thread):
    """Does something at a steady beat until it is stopped; a failure is logged once and the next beat tries again."""

    def __init__(self, name: str, every_s: float, do: Callable[[], object]) -> None:
        super().__init__(name=name, daemon=True)
        self._every_s = every_s
        self._do = do
        self._stopped = threading.Event()
        self._failing = False

    def run(self) -> None:
        """Beat until stopped."""
        while not self._stopped.wait(self._every_s):
            self.beat()

    def stop(self) -> None:
        """Beat no more; a beat at work ends first."""
        self._stopped.set()
        if self.is_alive():
            self.join(timeout=5)

    def beat(self) -> None:
        """Do it now; a failure is logged, and the next beat tries again."""
        try:
            self._do()
        except Exception as error:  # noqa: BLE001  # the outermost loop: a heart that stops for an error is the worse error
            if not self._failing:
                log.warning("%s failed and is tried again: %s", self.name, error)
            self._failing = True
        else:
            self._failing = False
