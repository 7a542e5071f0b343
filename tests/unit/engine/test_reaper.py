"""What a process has claimed and is not doing is taken up again: once a claim, and never while the claim is fresh."""

import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from bot.engine.database import VERSION, EngineTables, connect
from bot.engine.lease import Lease
from bot.engine.reaper import Reaper

TTL_S = 0.4


class OneClaim:
    """A process that the engine's tables say is at work on one workflow, and that is idle."""

    def __init__(self, url: str) -> None:
        self.engine = connect(url)
        self.put_back: list[str] = []
        self.at_work: list[str] = []
        self.reaper = Reaper(self.engine, Lease(self.engine, "here", TTL_S))
        self.reaper.serve(
            SimpleNamespace(  # type: ignore[arg-type]  # the two parts of the library that a reaper asks
                _active_workflows_set=SimpleNamespace(activeList=lambda: self.at_work),
                _sys_db=SimpleNamespace(reenqueue_for_recovery=lambda number, *_: self.put_back.append(number)),
            )
        )

    def claim(self, token: str) -> None:
        """Claim it, always in the same second: the library's clock on SQLite knows no smaller step."""
        claimed = {"status": "PENDING", "executor_id": "here", "application_version": VERSION, "started_at_epoch_ms": 1_000}
        claimed["owner_xid"] = token
        with self.engine.begin() as connection:
            connection.execute(sa.update(EngineTables(self.engine).workflows).values(**claimed))

    def beat(self, after_s: float = 0.0) -> list[str]:
        """Return what has been put back so far."""
        time.sleep(after_s)
        self.reaper.reap()
        return self.put_back


@pytest.fixture
def process(engine, sqlite_url):
    engine.register("echo", lambda _journal, payload: payload)
    engine.enqueue_now("echo", "pb:1", {}, lane="m")
    one = OneClaim(sqlite_url)
    one.claim("first")
    yield one
    one.engine.dispose()


def test_a_claim_that_lies_idle_is_put_back(process):
    assert process.beat() == []
    assert process.beat(after_s=TTL_S / 2) == ["pb:1"]


def test_a_fresh_claim_is_given_a_moment_to_begin(process):
    assert process.beat() == process.beat() == []


def test_work_taken_up_again_is_a_fresh_claim_however_soon_the_next_beat_comes(process):
    process.beat()
    process.beat(after_s=TTL_S / 2)
    process.claim("second")

    assert process.beat() == ["pb:1"]


def test_what_is_being_done_is_left_alone(process):
    process.at_work.append("pb:1")

    process.beat()
    assert process.beat(after_s=TTL_S / 2) == []
