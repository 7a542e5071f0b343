"""What stands until a person lifts it, on every store."""

from datetime import timedelta

from bot.core.holds import Kind
from bot.core.ports import Store
from tests.fakes.nouns import NOON, a_hold

HOUR = timedelta(hours=1)


def test_what_is_held_stands_once_until_it_is_lifted_once(store: Store):
    with store.write() as unit:
        assert (unit.hold(a_hold()), unit.hold(a_hold(by="U2"))) == (True, False)
    with store.read() as unit:
        assert unit.holds(Kind.PAUSE) == [a_hold()]
    with store.write() as unit:
        assert (unit.lift(Kind.PAUSE, ""), unit.lift(Kind.PAUSE, "")) == (a_hold(), None)

    with store.read() as unit:
        assert list(unit.holds(Kind.PAUSE)) == []


def test_what_is_held_is_told_oldest_first(store: Store):
    with store.write() as unit:
        for subject, hours in (("b", 2), ("a", 2), ("c", 1)):
            unit.hold(a_hold(subject, at=NOON + hours * HOUR))

    with store.read() as unit:
        assert [hold.subject for hold in unit.holds(Kind.PAUSE)] == ["c", "a", "b"]
