"""Who is alive: one row a process, renewed by a heart-beat on the database's own clock.

A lease that ran out means a dead process, or one so slow that its work is taken over; the engine fences what it still writes. Here,
on one machine, death can be proven at once: the process that the row names is gone, or is another one with the same number.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bot.core.errors import Conflict
from bot.engine.database import EngineTables, now, once_more

metadata = sa.MetaData()

leases = sa.Table(
    "engine_leases",
    metadata,
    sa.Column("executor", sa.String(200), primary_key=True),
    sa.Column("place", sa.String(200), nullable=False),
    sa.Column("pid", sa.Integer, nullable=False),
    sa.Column("born", sa.String(40), nullable=False),
    sa.Column("expires", sa.Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Life:
    """One process: `place` tells machines, boots and process namespaces apart, `born` tells two with one number apart."""

    place: str
    pid: int
    born: str

    @classmethod
    def mine(cls) -> "Life":
        """Return the life of this process."""
        return cls(place(), os.getpid(), _born(os.getpid()))

    def provably_over(self) -> bool:
        """Return whether it was here and is gone; from elsewhere nothing can be proven."""
        return self.place == place() and _born(self.pid) != self.born


def place() -> str:
    """Return where process numbers mean the same as here: host, boot and namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()}/{boot}/{Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return socket.gethostname()


def _born(pid: int) -> str:
    """Return when a process was started, in ticks since boot; empty text when it is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _answers(pid)
    return "" if fields[0] in {"Z", "X"} else fields[19]


def _answers(pid: int) -> str:
    """Return "running" or empty text, on systems that have no /proc."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "running"
    return "running"


class Lease:
    """This process's row among all rows; `ttl_s` seconds without a beat and others take over."""

    def __init__(self, engine: sa.Engine, executor: str, ttl_s: float) -> None:
        self.executor = executor
        self.ttl_s = ttl_s
        self._engine = engine
        self._now = now(engine)
        self._tables = EngineTables(engine)
        self._life = Life.mine()

    def prepare(self) -> None:
        """Create the table unless it is there."""
        once_more(lambda: metadata.create_all(self._engine))

    def acquire(self) -> None:
        """Write the row, before any work is taken.

        Raises:
            Conflict: a process that may be alive holds this id; both would run the same work.
        """
        taken = Conflict(f"Another process runs as '{self.executor}' already; stop it, or give this one another executor id.")
        try:
            with self._engine.begin() as connection:
                mine = sa.select(leases, (leases.c.expires < self._now).label("over")).where(leases.c.executor == self.executor)
                row = connection.execute(mine).one_or_none()
                if row is not None and not (row.over or Life(row.place, row.pid, row.born).provably_over()):
                    raise taken
                connection.execute(leases.delete().where(leases.c.executor == self.executor))
                connection.execute(self._row())
        except sa.exc.IntegrityError:
            raise taken from None

    def beat(self) -> bool:
        """Renew the row; return False when others had already declared this process dead and forgotten it."""
        with self._engine.begin() as connection:
            mine = leases.update().where(leases.c.executor == self.executor, leases.c.pid == self._life.pid)
            if connection.execute(mine.values(expires=self._now + self.ttl_s)).rowcount:
                return True
            connection.execute(self._row())
            return False

    def release(self) -> None:
        """Expire the row at once: whatever is left here may be taken over now."""
        with self._engine.begin() as connection:
            connection.execute(leases.update().where(leases.c.executor == self.executor).values(expires=0.0))

    def dead(self) -> list[str]:
        """Return the executors whose lease ran out or whose process is provably gone."""
        others = sa.select(leases, (leases.c.expires < self._now).label("over")).where(leases.c.executor != self.executor)
        with self._engine.connect() as connection:
            rows = connection.execute(others).all()
        return [row.executor for row in rows if row.over or Life(row.place, row.pid, row.born).provably_over()]

    def orphaned(self) -> list[str]:
        """Return the other executors that own running work without any lease."""
        work = self._tables.workflows
        known = sa.select(leases.c.executor)
        theirs = (work.c.status == "PENDING", work.c.executor_id != self.executor, work.c.executor_id.not_in(known))
        query = sa.select(work.c.executor_id).where(*theirs).distinct()
        with self._engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def forget(self, executor: str) -> bool:
        """Delete a dead executor's row, but only when it owns no running work any more."""
        work = self._tables.workflows
        owns = sa.exists().where(work.c.status == "PENDING", work.c.executor_id == executor)
        with self._engine.begin() as connection:
            gone = connection.execute(leases.delete().where(leases.c.executor == executor, ~owns))
            return bool(gone.rowcount)

    def _row(self) -> sa.Insert:
        life = self._life
        return leases.insert().values(
            executor=self.executor, place=life.place, pid=life.pid, born=life.born, expires=self._now + self.ttl_s
        )
