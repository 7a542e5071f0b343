"""The search for clues, as the desk has it: a surrogate of the model, and the slices on which it errs most."""

from bot.core.clues import Clues
from bot.core.joint import JointRows
from bot.stats.slices import worst_slices
from bot.stats.surrogate import surrogate


def clues(then: JointRows | None, now: JointRows | None, learn: bool) -> Clues:  # noqa: FBT001
    """Return what the whole rows of a window tell; nothing where it has none. A surrogate is learned where `learn` asks for it."""
    if now is None:
        return Clues()
    learned = surrogate(now) if learn else None
    found = worst_slices(then if then is not None else now.thinned(0), now)
    return Clues(learned.shares if learned else {}, learned.fit if learned else 0.0, tuple(found))
