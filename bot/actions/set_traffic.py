"""Move traffic between versions: to a share of one, or to a whole split. Absolute, read back, then counted.

Whether the platform really does it is a question about a proportion: of n requests, k went to a version. The answer is the Wilson
score interval (Wilson 1927) at 99 %. It passes when it lies within the tolerance as a whole, fails when it lies outside as a whole,
and everything between means "too few requests yet".

Some platforms come to it by and by and count nothing (a `Router`). There the bot waits, look by look, until the platform itself
says that it routes so, and tells people that this is its word and no measurement.
"""

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import Action, Change, Effect, Going, Json, Platform
from bot.core.deployments import patiently
from bot.core.errors import ActionFailed, ConfigError, WorldMoved
from bot.core.models import Split, same_split, split_words, whole_steps
from bot.core.ports import Splitter
from bot.core.routers import NoWay, Router, router
from bot.core.waiting import pause

Z = 2.5758
"""The 99 % point of the normal distribution, two-sided: one honest step in a hundred is kept waiting too long, not more."""
TOLERANCE = 0.05
POLL_S = 0.25
LEAST_PATIENCE_S = 60.0
ROUTER_POLL_S = 5.0
PATIENCE = 6
"""With too few requests the wait is stretched to this many times the hold, and at least `LEAST_PATIENCE_S`.

A splitter whose counts come late says how late, in seconds, as `lag_s`; that is added.
"""


def wilson(k: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return the score interval of a proportion, both ends in [0, 1]; of no trials at all anything may be true."""
    if n == 0:
        return 0.0, 1.0
    p, spread = k / n, z * z / n
    centre = p + spread / 2
    half = z * math.sqrt(p * (1 - p) / n + spread / (4 * n))
    return max(0.0, (centre - half) / (1 + spread)), min(1.0, (centre + half) / (1 + spread))


@dataclass(frozen=True)
class SetTraffic(Action):
    """Moves traffic to a share of one version, or to a whole split; absolute, read back, then counted where the splitter counts.

    `now` (seconds) and `sleep` are given by tests.
    """

    name: str
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = pause
    needs: ClassVar[Sequence[str]] = ("set_split",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:
        """Return the change; `parameters` are `version` and `share`, or `split` (version → share).

        With `version` and `share` the other versions keep their proportions to each other.

        Raises:
            ConfigError: the parameters are no such thing.
            ActionFailed: the platform could not be asked for these shares.
        """
        splitter = _splitter(platform)
        now = _shares(before) if before is not None else _grained(_asked(splitter, target), splitter.grain, {})
        after = _grained(_wanted(now, parameters, step), splitter.grain, now)
        if (by_and_by := router(splitter)) is not None:
            by_and_by.check(target, after)
        return Change(step, self.name, target, now, after, f"{split_words(now)} → {split_words(after)}")

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise WorldMoved unless traffic is as the plan found it, or as it leaves it."""
        now = _asked(_splitter(platform), change.target)
        if not (same_split(now, _shares(change.before)) or same_split(now, _shares(change.after))):
            raise WorldMoved(
                f"{change.target} now serves {split_words(now)}, but the plan was made for {split_words(_shares(change.before))}; "
                "propose it again."
            )

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Set the split that the change leads to."""
        _splitter(platform).set_split(change.target, _shares(change.after), key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:  # noqa: ARG002
        """Raise ActionFailed unless the splitter itself says so; one that takes its time says that it was asked to."""
        _require(_splitter(platform), change.target, _shares(change.after))

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:  # noqa: ARG002 - a split has no start to name
        """Count for at least `change.hold_s` which version really answered; where nothing counts, look until it is routed so.

        Raises:
            ActionFailed: the shares are outside the tolerance, the splitter restarted meanwhile, or too few requests came to tell.
        """
        splitter = _splitter(platform)
        if (by_and_by := router(splitter)) is not None:
            return patiently(lambda: self._routed(by_and_by, change))
        return self._counted(splitter, change)

    def _routed(self, platform: Router, change: Change) -> Effect | Going:
        """Return how far the platform is, or what it says that it routes, and has said for `change.hold_s`."""
        wanted, until = _shares(change.after), self.now() + change.hold_s
        while True:
            _unmoved(platform, change.target, wanted)
            how_far = platform.settling(change.target)
            if how_far:
                return Going(how_far)
            if self.now() >= until:
                break
            self.sleep(min(ROUTER_POLL_S, change.hold_s))
        words = f"{platform.name} says that it routes {split_words(wanted)}; it counts no requests, so nothing was measured"
        return Effect(words, {"measured": False, "said": {v: round(share, 4) for v, share in wanted.items()}}, wanted)

    def _counted(self, splitter: Splitter, change: Change) -> Effect:
        wanted = _shares(change.after)
        within, seconds = change.measure_share_within or TOLERANCE, change.hold_s
        first, started = splitter.requests(change.target), self.now()
        patience = max(LEAST_PATIENCE_S, PATIENCE * seconds) + getattr(splitter, "lag_s", 0.0)
        while True:
            waited = self.now() - started
            counts = _since(first, splitter.requests(change.target), change.target)
            verdict = _judged(counts, wanted, within) if waited >= seconds else None
            if verdict is not None or waited >= patience:
                break
            self.sleep(POLL_S)
        _require(splitter, change.target, wanted)  # a splitter that restarted under us has forgotten
        return _effect(change, counts, wanted, verdict, waited)

    def blast(self, changes: Sequence[Change]) -> str:
        """Say how much traffic moves between the first and the last of them."""
        before, after = _shares(changes[0].before), _shares(changes[-1].after)
        moved = sum(abs(after.get(v, 0.0) - before.get(v, 0.0)) for v in {*before, *after}) / 2
        return f"{100 * moved:.0f} % of {changes[0].target}'s traffic; serving goes on if the bot stops at any step"

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Set the split from before and read it back."""
        splitter, before = _splitter(platform), _shares(change.before)
        if (by_and_by := router(splitter)) is not None:
            return _ordered_back(by_and_by, change, key)
        splitter.set_split(change.target, before, key)
        _require(splitter, change.target, before)
        return "Everything it had changed was put back and read back."


def _ordered_back(platform: Router, change: Change, key: str) -> str:
    """Order the split from before and read that back; what somebody else has ordered since stays as it is."""
    before, ordered = _shares(change.before), platform.ordered(change.target)
    if not (same_split(ordered, before) or same_split(ordered, _shares(change.after))):
        raise WorldMoved(f"Something else was ordered for {change.target} meanwhile, which stays: {split_words(ordered)}.")
    try:
        platform.set_split(change.target, before, key)
    except NoWay as why:
        raise ActionFailed(f"{change.target} keeps serving {split_words(ordered)}: {why}") from why
    _require(platform, change.target, before)
    return f"The split from before was ordered again and read back; {platform.name} still has to route so."


def _judged(counts: Mapping[str, int], wanted: Split, within: float) -> bool | None:
    """Return whether the counts show the wanted shares; None while they are too few to tell."""
    n = sum(counts.values())
    verdicts = []
    for version in {*counts, *wanted}:
        low, high = wilson(counts.get(version, 0), n)
        share = wanted.get(version, 0.0)
        if low > share + within or high < share - within:
            return False
        verdicts.append(share - within <= low and high <= share + within)
    return True if all(verdicts) else None


def _effect(change: Change, counts: Mapping[str, int], wanted: Split, verdict: bool | None, waited: float) -> Effect:  # noqa: FBT001
    n = sum(counts.values())
    if verdict is None:
        raise ActionFailed(
            f"Only {n:,} requests for {change.target} came in {waited:.0f} s, too few to tell whether it really serves "
            f"{split_words(wanted)}."
        )
    shares = {version: count / n for version, count in counts.items()}
    if not verdict:
        raise ActionFailed(
            f"{change.target} was set to {split_words(wanted)}, but of {n:,} requests it really served {split_words(shares)}."
        )
    told = {"requests": n, "seconds": round(waited, 1), "share": {v: round(share, 4) for v, share in shares.items()}}
    return Effect(f"measured {split_words(shares)} over {n:,} requests", told, wanted)


def _since(first: Mapping[str, int], now: Mapping[str, int], target: str) -> dict[str, int]:
    counts = {version: count - first.get(version, 0) for version, count in now.items()}
    if any(count < 0 for count in counts.values()):
        raise ActionFailed(f"The splitter of {target} restarted while it was measured; it may have forgotten what was set.")
    return counts


def _require(splitter: Splitter | Router, target: str, wanted: Split) -> None:
    now = _asked(splitter, target)
    if not same_split(now, wanted):
        raise ActionFailed(f"{target} was set to {split_words(wanted)}, but the splitter now says {split_words(now)}.")


def _unmoved(platform: Router, target: str, wanted: Split) -> None:
    ordered = platform.ordered(target)
    if not same_split(ordered, wanted):
        raise WorldMoved(f"Something else was ordered for {target} meanwhile: {split_words(ordered)}.")


def _wanted(now: Split, parameters: Json, step: str) -> Split:
    if set(parameters) == {"split"}:
        split = _shares(_named(parameters["split"], step))
        if not all(0 <= share <= 1 for share in split.values()) or abs(sum(split.values()) - 1) > 1e-6:
            raise ConfigError(f"Step '{step}': the shares must lie between 0 and 1 and add up to 1.")
        return split
    if set(parameters) != {"version", "share"}:
        raise ConfigError(f"Step '{step}': set_traffic needs `version` and `share`, or `split`.")
    share = _share(parameters["share"])
    if not 0 <= share <= 1:
        raise ConfigError(f"Step '{step}': `share` must be a number from 0 to 1.")
    return _moved(now, str(parameters["version"]), share, step)


def _named(split: object, step: str) -> Json:
    """Return version → share, as a playbook writes it or as the JSON text that a parameter of kind split is."""
    try:
        split = json.loads(split) if isinstance(split, str) else split
    except ValueError:
        split = None
    if not isinstance(split, Mapping):
        raise ConfigError(f"Step '{step}': `split` must be version → share.")
    return split


def _moved(now: Split, version: str, share: float, step: str) -> Split:
    """Return the split in which this version has this share and the others keep their proportions."""
    if version not in now:
        raise ConfigError(f"Step '{step}': there is no version '{version}' to send traffic to; known: {', '.join(now)}.")
    rest = sum(other for name, other in now.items() if name != version)
    if share < 1 and rest == 0:
        raise ConfigError(f"Step '{step}': '{version}' serves everything, so nothing says who gets the rest; give `split`.")
    scale = (1 - share) / rest if rest else 0.0
    return {name: share if name == version else other * scale for name, other in now.items()}


def _grained(split: Split, grain: int, now: Split) -> Split:
    """Return the split in the splitter's own steps, so that what is read back is what was planned.

    A splitter of whole versions (its grain is 1) has all of the traffic where most of it would be; of equals, where it is.
    """
    steps = whole_steps(split, grain)
    if any(split.values()) and not any(steps.values()):
        steps[max(split, key=lambda version: (split[version], now.get(version, 0.0)))] = grain
    return {version: whole / grain for version, whole in steps.items()}


def _shares(split: Json) -> dict[str, float]:
    return {version: _share(share) for version, share in split.items()}


def _share(value: object) -> float:
    """Return a share from a plan or a playbook; what is no number is NaN, which no comparison lets pass."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return math.nan
    try:
        return float(value)
    except ValueError:
        return math.nan


def _asked(splitter: Splitter | Router, target: str) -> Split:
    """Return what a splitter was last asked for: where it does so at once, that is what it says of itself."""
    by_and_by = router(splitter)
    return by_and_by.ordered(target) if by_and_by is not None else splitter.split(target)


def _splitter(platform: Platform) -> Splitter:
    if not hasattr(platform, "set_split"):
        raise ConfigError(f"'{platform.name}' is no traffic splitter, so set_traffic cannot use it.")
    return platform  # type: ignore[return-value]


@dataclass(frozen=True)
class SwitchVersion(SetTraffic):
    """Gives everything to one version in one order, where the platform has one for that: Argo Rollouts aborts, or promotes."""

    needs: ClassVar[Sequence[str]] = ("set_split", "at_once")


set_traffic = SetTraffic("set_traffic")
switch_version = SwitchVersion("switch_version")
