"""Starting, ending, refusing: what callers see of the engine."""

import base64
import os
import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.core.errors import ConfigError, Conflict
from bot.engine.database import EngineTables
from bot.engine.durable import CHECKS, Durable


def echo(_journal, payload):
    return payload


@pytest.fixture
def both_url(database_url):
    engine = Durable(database_url)
    engine.register("echo", echo)
    engine.prepare()
    yield database_url, engine
    engine.stop()


def test_a_workflow_starts_with_the_callers_transaction_and_not_without_it(both_url):
    url, engine = both_url
    database = sa.create_engine(url)
    with database.begin() as kept:
        engine.enqueue(kept, "echo", "pb:kept", {}, lane="m")
    with database.connect() as dropped:
        engine.enqueue(dropped, "echo", "pb:dropped", {}, lane="m")
        dropped.rollback()
    database.dispose()

    assert engine.status("pb:kept").state == "ENQUEUED"
    assert engine.status("pb:dropped") is None


def test_a_number_starts_once_however_often_it_is_enqueued(both_url):
    _, engine = both_url
    for _ in range(3):
        engine.enqueue_now("echo", "pb:1", {}, lane="m")

    assert engine.counts()["waiting"] == 1


def test_a_number_of_another_workflow_is_a_conflict_in_one_sentence(engine):
    engine.register("echo", echo)
    engine.register("other", echo)
    engine.enqueue_now("echo", "pb:1", {})

    with pytest.raises(Conflict, match=r"^'pb:1' is the number of another workflow already; choose another number\.$"):
        engine.enqueue_now("other", "pb:1", {})


def test_a_workflow_that_nobody_registered_is_refused_by_name(engine):
    engine.register("echo", echo)

    with pytest.raises(ConfigError, match=r"^No workflow 'ecko' is registered with the engine\. Registered: echo\.$"):
        engine.enqueue_now("ecko", "pb:1", {})


def test_one_lane_never_overlaps_while_another_goes_on(engine):
    active, most, told, gate = [], [], [], threading.Event()

    def body(journal, payload):
        lane = payload["lane"]

        def work():
            active.append(lane)
            most.append(active.count("a"))
            told.append(journal.id)
            if lane == "a":
                gate.wait(5)
            active.remove(lane)
            return {}

        return journal.step("work", work)

    engine.register("work", body)
    for number in ("a:1", "a:2", "a:3"):
        engine.enqueue_now("work", number, {"lane": "a"}, lane="a")
    engine.launch()
    engine.enqueue_now("work", "b:1", {"lane": "b"}, lane="b")
    engine.wait("b:1", 10)
    gate.set()
    for number in ("a:1", "a:2", "a:3"):
        engine.wait(number, 10)

    assert max(most) == 1
    assert [number for number in told if number.startswith("a")] == ["a:1", "a:2", "a:3"]


def test_a_pickled_row_is_refused_and_runs_nothing(engine, tmp_path):
    canary = tmp_path / "ran"
    engine.register("echo", echo)
    engine.enqueue_now("echo", "pb:1", {})
    code = b"cposix\nsystem\n(S'touch " + os.fsencode(canary) + b"'\ntR."
    with engine._engine.begin() as connection:
        pickled = {"row": base64.b64encode(code).decode()}
        connection.execute(sa.text("UPDATE workflow_input SET inputs = :row"), pickled)
        connection.execute(sa.text("UPDATE workflow_status SET serialization = 'py_pickle'"))
    engine.launch()

    assert engine.wait("pb:1", 10).state == "ERROR"
    assert not canary.exists()


def test_rows_are_json(engine):
    engine.register("echo", lambda journal, payload: journal.step("say", lambda: payload))
    engine.launch()
    engine.enqueue_now("echo", "pb:1", {"n": 1})
    engine.wait("pb:1", 10)
    with engine._engine.connect() as connection:
        kinds = connection.execute(
            sa.text("SELECT serialization FROM workflow_status UNION SELECT serialization FROM operation_outputs")
        ).scalars()

        assert set(kinds) == {"portable_json"}


def test_a_body_that_breaks_is_an_error_and_the_next_one_runs(engine):
    engine.register("breaks", lambda _journal, _payload: {}["missing"])
    engine.register("echo", echo)
    engine.launch()
    engine.enqueue_now("breaks", "pb:1", {}, lane="m")
    engine.enqueue_now("echo", "pb:2", {"n": 1}, lane="m")

    assert engine.wait("pb:1", 10).state == "ERROR"
    assert engine.wait("pb:2", 10).result == {"n": 1}


def test_a_step_that_lost_the_database_is_done_again_and_the_body_never_knows(engine):
    tries = []

    def read():
        tries.append(1)
        if len(tries) < 3:
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("the database went away"))
        return {"tries": len(tries)}

    engine.register("reads", lambda journal, _payload: journal.step("read", read))
    engine.launch()
    engine.enqueue_now("reads", "pb:1", {})

    assert engine.wait("pb:1", 10).result == {"tries": 3}


def test_a_stopped_engine_leaves_a_sleeping_run_to_the_next_one(new_engine):
    steps = []

    def body(journal, _payload):
        journal.step("before", lambda: steps.append("before") or {})
        journal.sleep(1.0)
        journal.step("after", lambda: steps.append("after") or {})
        return {}

    first, second = new_engine(), new_engine()
    for one in (first, second):
        one.register("nap", body)
    first.launch()
    first.enqueue_now("nap", "pb:1", {})
    while not steps:
        time.sleep(0.02)
    began = time.monotonic()
    first.stop()
    took = time.monotonic() - began
    second.launch()

    assert second.wait("pb:1", 10).state == "SUCCESS"
    assert steps == ["before", "after"]
    assert took < 1.0


def test_work_of_another_engine_version_is_counted_as_stranded(engine):
    engine.register("echo", echo)
    engine.enqueue_now("echo", "pb:1", {})
    work = EngineTables(engine._engine).workflows
    with engine._engine.begin() as connection:
        connection.execute(sa.update(work).values(application_version="playbooks-0"))

    assert engine.counts() == {"waiting": 0, "running": 0, "given_up": 0, "stranded": 1}


def test_pruning_forgets_old_checks_with_their_steps_and_keeps_runs(engine):
    for name, queue in (("look", CHECKS), ("run", "playbooks")):
        engine.register(name, lambda journal, payload: journal.step("one", lambda: payload), queue=queue)
    engine.launch()
    for name, number in (("look", "hc:1"), ("look", "hc:2"), ("run", "pb:1")):
        engine.enqueue_now(name, number, {})
        engine.wait(number, 10)

    assert engine.prune(checks=timedelta(0)) == 2
    assert engine.status("hc:1") is None
    assert engine.status("pb:1").state == "SUCCESS"
    with engine._engine.connect() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM operation_outputs")).scalar() == 1


def test_nothing_young_is_pruned(engine):
    engine.register("look", echo, queue=CHECKS)
    engine.launch()
    engine.enqueue_now("look", "hc:1", {})
    engine.wait("hc:1", 10)

    assert engine.prune() == 0


def test_the_library_still_has_the_columns_that_we_read(both_url):
    _, engine = both_url
    for table in (EngineTables(engine._engine).workflows, EngineTables(engine._engine).steps):
        there = {column["name"] for column in sa.inspect(engine._engine).get_columns(table.name, schema=table.schema)}

        assert {column.name for column in table.columns} <= there
