"""What is asked again is worked out once, by whoever asks first, and forgotten with what it was asked about."""

import gc
import weakref

import numpy as np

from bot.stats import learned
from bot.stats.correlation import changes
from bot.stats.learned import once, shared
from bot.stats.reconstruction import reconstruction
from tests.fakes.readings import joint


def rows(seed=0, n=600):
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    return joint({"x": x, "y": x + random.normal(size=n), "c": random.choice(["a", "b", "é"], n).tolist()})


def test_the_same_rows_teach_once_and_others_anew():
    then, asked = rows(), []

    for of, what in ((then, "a"), (then, "a"), (then, "b"), (rows(), "a")):
        once(of, what, lambda: asked.append(1) or len(asked))

    assert len(asked) == 3
    assert once(then, "a", lambda: 9) == 1


def test_what_is_learned_goes_with_the_rows():
    then = rows()
    once(then, "a", lambda: [1])
    gone = weakref.ref(then)

    del then
    gc.collect()

    assert gone() is None
    assert not any(of is gone() for of in learned._known)


def test_the_same_question_about_the_same_things_is_worked_out_once():
    asked = []

    @shared
    def apart(one, other, *, by=1):
        asked.append((one.of, other.of, by))
        return None if by == 3 else one.of - other.of

    first, second = rows(n=600), rows(n=500)
    answers = [apart(first, second), apart(first, second), apart(second, first), apart(first, second, by=2)]

    assert answers == [100, 100, -100, 100]
    assert [apart(first, second, by=3) for _ in range(2)] == [None, None]
    assert len(asked) == 4


def test_an_answer_goes_with_the_last_of_what_was_asked_about():
    then, now = rows(), rows(1)
    shared(lambda _then, _now: np.ones(3))(then, now)
    gone = weakref.ref(now)

    del now
    gc.collect()

    assert gone() is None


def test_a_second_look_finds_what_a_first_would():
    then, first, second = rows(), rows(1), joint({**columns_of(rows(2)), "c": ["new", "a"] * 300})
    reconstruction(then, first), changes(then, first)

    assert reconstruction(then, second) == reconstruction(rows(), second)
    assert changes(then, second) == changes(rows(), second)


def columns_of(some):
    return {name: some.column(name) for name in ("x", "y")}
