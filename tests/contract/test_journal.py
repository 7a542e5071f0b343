"""The promises of a journal, kept by the engine and by the fake that the story is tested over."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from bot.core.errors import ActionFailed, AiopsError, NotAllowed, OutcomeUnknown, StoreUnavailable, WorldMoved
from bot.core.ports import Journal
from bot.engine.durable import Durable, Pace
from tests.fakes.journal import FakeJournal, Killed

Body = Callable[[Journal], dict[str, object]]


class Lived(Protocol):
    """Runs a body to its end over as many lives as it takes."""

    def __call__(self, body: Body) -> dict[str, Any]: ...


class OnFake:
    def __call__(self, body: Body) -> dict[str, Any]:
        journal = FakeJournal("pb:1")
        while True:
            try:
                return body(journal)
            except (Killed, StoreUnavailable):
                journal = journal.restarted()


@dataclass
class OnEngine:
    """The engine in this process: what `Killed` leaves behind is picked up, as after a death."""

    engine: Durable
    results: dict[str, Any] = field(default_factory=dict)

    def __call__(self, body: Body) -> dict[str, Any]:
        self.engine.register("told", lambda journal, _payload: body(journal))
        self.engine.launch()
        self.engine.enqueue_now("told", "pb:1", {}, lane="m")
        status = self.engine.wait("pb:1", 20)
        assert status.state == "SUCCESS", status.error
        return dict(status.result or {})


@pytest.fixture(params=["fake", "sqlite_url", "postgres_url"])
def lived(request) -> Iterator[Lived]:
    if request.param == "fake":
        yield OnFake()
        return
    engine = Durable(request.getfixturevalue(request.param), pace=Pace(poll_s=0.05, beat_s=0.1, ttl_s=2.0))
    yield OnEngine(engine)
    engine.stop()


@dataclass
class Deaths:
    """Kills once at each named moment."""

    left: set[str]

    def at(self, moment: str) -> None:
        if moment in self.left:
            self.left.remove(moment)
            raise Killed(moment)


def test_a_body_goes_from_step_to_step_and_its_result_comes_back(lived):
    def body(journal):
        one = journal.step("one", lambda: {"n": 1})
        two = journal.step("two", lambda: {"n": one["n"] + 1})
        return {"sum": two["n"], "id": journal.id}

    assert lived(body) == {"sum": 2, "id": "pb:1"}


def test_a_step_that_was_remembered_is_not_done_again_after_a_death(lived):
    done, deaths = [], Deaths({"between"})

    def body(journal):
        journal.step("one", lambda: done.append("one") or {})
        deaths.at("between")
        journal.step("two", lambda: done.append("two") or {})
        return {}

    lived(body)

    assert done.count("one") == 1
    assert done[-1] == "two"


def test_a_step_that_died_before_it_was_remembered_is_done_again(lived):
    done, deaths = [], Deaths({"inside"})

    def act():
        done.append("one")
        deaths.at("inside")
        return {}

    lived(lambda journal: journal.step("one", act))

    assert done == ["one", "one"]


def test_a_step_that_found_the_database_away_is_done_again_and_the_body_never_knows(lived):
    tries = []

    def act():
        tries.append(1)
        if len(tries) == 1:
            raise StoreUnavailable("The database is locked; try again.")
        return {"tries": len(tries)}

    assert lived(lambda journal: journal.step("one", act)) == {"tries": 2}


def test_a_body_that_found_the_database_away_begins_anew(lived):
    begun = []

    def body(journal):
        begun.append(journal.step("one", lambda: {"n": 1})["n"])
        if len(begun) == 1:
            raise StoreUnavailable("The database is locked; try again.")
        return {"begun": len(begun)}

    assert lived(body) == {"begun": 2}


@pytest.mark.parametrize("kind", [ActionFailed, WorldMoved, OutcomeUnknown, NotAllowed])
def test_an_error_of_ours_is_the_same_class_and_sentence_after_a_death(lived, kind):
    seen, deaths = [], Deaths({"after"})

    def fails():
        raise kind("Envoy serves v7, not v6.")

    def body(journal):
        try:
            journal.step("one", fails)
        except AiopsError as error:
            seen.append((type(error), str(error)))
        deaths.at("after")
        return {}

    lived(body)

    assert seen == [(kind, "Envoy serves v7, not v6.")] * 2


def test_an_error_that_is_not_ours_becomes_an_unknown_outcome_that_names_the_step(lived):
    def body(journal):
        try:
            journal.step("shift traffic", lambda: {}["missing"])
        except OutcomeUnknown as error:
            return {"said": str(error)}
        return {}

    said = lived(body)["said"]

    assert said == "Step 'shift traffic' broke with KeyError; read back what it did before doing it again."


@pytest.mark.parametrize("value", [float("nan"), object()], ids=["nan", "object"])
def test_what_json_cannot_hold_is_no_result(lived, value):
    def body(journal):
        try:
            journal.step("one", lambda: {"value": value})
        except OutcomeUnknown:
            return {"refused": True}
        return {}

    assert lived(body) == {"refused": True}


def test_the_first_life_sees_a_result_as_later_lives_will(lived):
    seen, deaths = [], Deaths({"after"})

    def body(journal):
        seen.append(journal.step("one", lambda: {"pair": (1, 2)})["pair"])
        deaths.at("after")
        return {}

    lived(body)

    assert seen == [[1, 2], [1, 2]]


def test_a_sleep_that_was_slept_is_not_slept_again(lived):
    deaths, woken = Deaths({"after"}), threading.Event()

    def body(journal):
        journal.sleep(0.2)
        woken.set()
        deaths.at("after")
        return {"woken": woken.is_set()}

    assert lived(body) == {"woken": True}


def test_a_sleep_that_is_cut_short_ends_at_once_in_every_life_and_the_body_goes_on_as_if_it_had_been_slept(lived):
    deaths, done, began = Deaths({"after"}), [], time.monotonic()

    def body(journal):
        journal.sleep(3_600.0, lambda: True)
        journal.step("one", lambda: done.append("one") or {})
        deaths.at("after")
        return {"done": len(done)}

    assert lived(body) == {"done": 1}
    assert time.monotonic() - began < 20
