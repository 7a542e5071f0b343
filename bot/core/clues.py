"""What rows tell about why: on which inputs the score hangs, and in which corner of them the model errs most."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.core.joint import JointRows


@dataclass(frozen=True, slots=True)
class WorseSlice:
    """Rows that share a level or a range, on which the model errs more than on the others.

    `loss` and `rest` are mean squared errors of the score, inside and outside; `before` is the difference that the reference had
    already, None where it had too few such rows; `excess` is what has come on top, `chance` how often some slice looks so by luck.
    """

    name: str
    loss: float
    rest: float
    before: float | None
    excess: float
    chance: float
    n: int


@dataclass(frozen=True, slots=True)
class Clues:
    """What the whole rows of a window tell.

    `leans` says on which inputs the score hangs, a share each, by a surrogate that explains `fit` (R², out of sample) of it.
    """

    leans: Mapping[str, float] = field(default_factory=dict)
    fit: float = 0.0
    slices: tuple[WorseSlice, ...] = ()


Search = Callable[[JointRows | None, JointRows | None, bool], Clues]
"""Looks for clues in the reference's rows and the window's; a surrogate is only learned where it is asked for."""


def no_clues(_then: JointRows | None, _now: JointRows | None, _learn: bool) -> Clues:  # noqa: FBT001
    """Find nothing."""
    return Clues()
