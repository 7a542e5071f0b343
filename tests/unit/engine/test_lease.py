"""Who counts as alive."""

import os
import subprocess
import sys
from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.core.errors import Conflict
from bot.engine.database import EngineTables, connect
from bot.engine.durable import Durable
from bot.engine.lease import Lease, Life, leases


@pytest.fixture
def database(database_url):
    Durable(database_url).prepare()
    engine = connect(database_url)
    yield engine
    engine.dispose()


def lease(database, executor, ttl_s=60.0, life=None):
    made = Lease(database, executor, ttl_s)
    made._life = life or made._life
    return made


def gone():
    """The life of a process that was here and is over."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    born = (Life.mine(), process.pid)
    life = replace(born[0], pid=process.pid, born=_born(process.pid))
    process.communicate(b"\n")
    return life


def _born(pid):
    from bot.engine import lease as room  # noqa: PLC0415

    return room._born(pid)


def test_a_process_that_runs_is_not_over():
    assert not Life.mine().provably_over()


def test_a_process_that_is_gone_is_over():
    assert gone().provably_over()


def test_a_number_that_another_process_has_by_now_proves_the_first_one_over():
    assert replace(Life.mine(), born="1").provably_over()


def test_nothing_is_proven_about_another_machine():
    assert not replace(gone(), place="another machine").provably_over()


def test_a_zombie_is_over():
    process = subprocess.Popen([sys.executable, "-c", "pass"])
    life = replace(Life.mine(), pid=process.pid, born=_born(process.pid))
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

    assert life.provably_over()
    process.wait()


def test_a_lease_that_beats_is_not_dead_and_one_that_ran_out_is(database):
    watcher, slow = lease(database, "watcher"), lease(database, "slow", ttl_s=-1.0)
    fresh = lease(database, "fresh")
    for one in (watcher, slow, fresh):
        one.acquire()

    assert watcher.dead() == ["slow"]


def test_a_release_counts_as_dead_at_once(database):
    watcher, leaving = lease(database, "watcher"), lease(database, "leaving")
    leaving.acquire()
    leaving.release()

    assert watcher.dead() == ["leaving"]


def test_an_id_that_is_alive_cannot_be_taken(database):
    lease(database, "aiops-0", life=replace(Life.mine(), place="another machine")).acquire()

    with pytest.raises(Conflict, match="stop it, or give this one another executor id"):
        lease(database, "aiops-0").acquire()


def test_the_id_of_a_process_that_is_gone_can_be_taken(database):
    lease(database, "aiops-0", life=gone()).acquire()
    lease(database, "aiops-0").acquire()

    assert lease(database, "watcher").dead() == []


def test_a_beat_says_whether_the_lease_had_been_forgotten(database):
    mine = lease(database, "mine")
    mine.acquire()
    known = mine.beat()
    with database.begin() as connection:
        connection.execute(leases.delete())

    assert (known, mine.beat(), mine.beat()) == (True, False, True)


def test_a_dead_lease_is_kept_while_it_owns_running_work(database_url, database):
    engine = Durable(database_url)
    engine.register("echo", lambda _journal, payload: payload)
    engine.enqueue_now("echo", "pb:1", {})
    work = EngineTables(database).workflows
    with database.begin() as connection:
        connection.execute(sa.update(work).values(status="PENDING", executor_id="dead"))
    dead, watcher = lease(database, "dead", ttl_s=-1.0), lease(database, "watcher")
    dead.acquire()
    kept = watcher.forget("dead")
    with database.begin() as connection:
        connection.execute(sa.update(work).values(status="SUCCESS"))

    assert (kept, watcher.forget("dead"), watcher.dead()) == (False, True, [])
    engine.stop()


def test_running_work_without_any_lease_is_orphaned(database_url, database):
    engine = Durable(database_url)
    engine.register("echo", lambda _journal, payload: payload)
    engine.enqueue_now("echo", "pb:1", {})
    with database.begin() as connection:
        connection.execute(sa.update(EngineTables(database).workflows).values(status="PENDING", executor_id="nobody"))

    assert lease(database, "watcher").orphaned() == ["nobody"]
    assert lease(database, "nobody").orphaned() == []
    engine.stop()
