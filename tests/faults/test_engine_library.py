"""What we take from the engine's library and its documentation does not promise: the first tests to run at a new version of it."""

import time
from contextlib import suppress
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.engine.database import EngineTables
from bot.engine.durable import CHECKS
from bot.engine.lease import leases
from tests.faults.lives import BRISK, Script, engine_of, eventually

pytestmark = [pytest.mark.failure("library"), pytest.mark.slow]


@pytest.fixture
def working(engine_url, world):
    """An engine of this process that does the work, once it is launched."""
    engine = engine_of(Script(engine_url, world, executor="here"))
    engine.prepare()
    yield engine
    engine.stop(drain_s=2)


def says(engine, number, **claimed):
    """Write into the library's own row of a workflow."""
    schema = EngineTables(engine._engine).workflows.schema
    work = sa.table("workflow_status", sa.column("workflow_uuid"), *map(sa.column, claimed), schema=schema)
    with engine._engine.begin() as connection:
        connection.execute(sa.update(work).where(work.c.workflow_uuid == number).values(**claimed))


def test_work_of_an_executor_that_is_dead_can_be_taken_over(working, tally):
    working.enqueue_now("five", "pb:1", {}, lane="m")
    says(working, "pb:1", status="PENDING", executor_id="dead", started_at_epoch_ms=1)
    working.launch()
    with working._engine.begin() as connection:
        connection.execute(leases.insert().values(executor="dead", place="elsewhere", pid=1, born="1", expires=0.0))
    status = working.wait("pb:1", 10)
    tally(taken_over=1)

    assert (status.state, status.executor) == ("SUCCESS", "here")


def test_work_starts_with_the_callers_transaction_and_not_without_it(working, tally):
    with suppress(ZeroDivisionError), working._engine.begin() as transaction:
        working.enqueue(transaction, "five", "pb:1", {}, lane="m")
        raise ZeroDivisionError
    with working._engine.begin() as transaction:
        working.enqueue(transaction, "five", "pb:2", {}, lane="m")
    tally(in_one_transaction=2)

    assert working.status("pb:1") is None
    assert working.status("pb:2").state == "ENQUEUED"


def test_of_one_lane_one_workflow_is_taken_at_a_time_also_while_its_owner_is_dead(working, world, tally):
    for number in ("pb:1", "pb:2"):
        working.enqueue_now("five", number, {}, lane="m")
    working.enqueue_now("five", "pb:3", {}, lane="other")
    says(working, "pb:1", status="PENDING", executor_id="frozen", started_at_epoch_ms=int(time.time() * 1000))
    with working._engine.begin() as connection:
        connection.execute(leases.insert().values(executor="frozen", place="elsewhere", pid=1, born="1", expires=time.time() + 60))
    working.launch()
    working.wait("pb:3", 10)
    held = working.status("pb:2").state
    with working._engine.begin() as connection:
        connection.execute(leases.update().where(leases.c.executor == "frozen").values(expires=0.0))
    states = [working.wait(number, 10).state for number in ("pb:1", "pb:2")]
    tally(lanes_held=1)

    assert held == "ENQUEUED"
    assert states == ["SUCCESS", "SUCCESS"]
    assert world.stretch("pb:1:")[1] <= world.stretch("pb:2:")[0]


def test_who_no_longer_owns_a_workflow_writes_no_step_of_it_and_takes_none_further(working, world, tally):
    working.launch()
    working.enqueue_now("five", "pb:1", {"step_s": 0.3}, lane="m")
    eventually(lambda: bool(world.calls("pb:1:s0")), 10, "its first step began")
    says(working, "pb:1", executor_id="another", owner_xid="another")
    eventually(lambda: not working._dbos._active_workflows_set.activeList(), 10, "this process let go of it")
    steps = EngineTables(working._engine).steps
    with working._engine.connect() as connection:
        written = connection.scalar(sa.select(sa.func.count()).where(steps.c.workflow_uuid == "pb:1"))
    seen, state = world.effects(), working.status("pb:1").state
    status = working.wait("pb:1", 20)  # its new owner has no lease, so that somebody takes it over in the end
    tally(fenced=1)

    assert (written, seen, state) == (0, ["pb:1:s0"], "PENDING")
    assert (status.state, len(world.effects())) == ("SUCCESS", 5)


def test_a_forgotten_workflow_leaves_no_row_of_any_kind(working, tally):
    working.register("look", lambda journal, payload: journal.step("one", lambda: dict(payload)), queue=CHECKS)
    working.launch()
    for n in range(5):
        working.enqueue_now("look", f"hc:{n}", {"n": n})
    for n in range(5):
        working.wait(f"hc:{n}", 10)
    before = rows(working)
    eventually(lambda: working.prune(checks=timedelta(0)) == 0 and not working.status("hc:4"), BRISK.ttl_s * 5, "all was forgotten")
    tally(rows_before=sum(before.values()), rows_left=sum(rows(working).values()))

    assert before["workflow_status"] >= 5
    assert before["operation_outputs"] >= 5
    assert {table: n for table, n in rows(working).items() if n} == {}


def rows(engine):
    """How many rows the library's tables of work have, by table."""
    schema = EngineTables(engine._engine).workflows.schema
    known = sa.inspect(engine._engine)
    with engine._engine.connect() as connection:
        return {
            name: connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name, schema=schema)))
            for name in known.get_table_names(schema=schema)
            if any(column["name"] == "workflow_uuid" for column in known.get_columns(name, schema=schema))
        }
