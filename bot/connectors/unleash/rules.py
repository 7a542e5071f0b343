"""What Unleash tells of a flag in one environment, read with care: its strategies say for whom it is on."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.errors import ActionFailed
from bot.core.toggles import EVERYBODY, Answers

Row = Mapping[str, Any]
SAID = ("name", "parameters", "constraints", "segments")
"""What of a strategy decides for whom the flag is on; the rest are titles, ids and orders."""
MOST = 3


def rows(told: Any, where: str) -> Sequence[Row]:
    """Return a list of objects as one, or raise ActionFailed."""
    if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
        raise ActionFailed(f"{where} does not tell flags as Unleash does; is `url` really Unleash's?")
    return told


def truth(told: Any, where: str) -> bool:
    """Return a yes or no as one; anything else is no answer."""
    if not isinstance(told, bool):
        raise ActionFailed(f"{where} does not tell flags as Unleash does; is `url` really Unleash's?")
    return told


def names(told: Any, where: str) -> tuple[str, ...]:
    """Return a list of names as one, sorted, the first hundred; or raise ActionFailed."""
    if not isinstance(told, list) or not all(isinstance(name, str) for name in told):
        raise ActionFailed(f"{where} does not tell flags as Unleash does; is `url` really Unleash's?")
    return tuple(sorted(told)[:100])


def active(strategies: Sequence[Row]) -> list[Row]:
    """Return the strategies that count: a disabled one decides nothing."""
    return [strategy for strategy in strategies if not strategy.get("disabled")]


def digest(strategies: Sequence[Row]) -> str:
    """Return what decides for whom the flag is on, as SHA-256 in hex; the order of strategies decides nothing."""
    deciding = sorted(_plain({name: strategy.get(name) or None for name in SAID}) for strategy in active(strategies))
    return hashlib.sha256(_plain(deciding).encode()).hexdigest()


def reach(strategies: Sequence[Row]) -> str:
    """Return in words for whom these strategies are on: one that fits is enough, and without any it is everybody."""
    words = [_reach(strategy) for strategy in active(strategies)]
    if not words or EVERYBODY in words:
        return EVERYBODY
    told = list(dict.fromkeys(word for word in words if word)) or ["nobody (0 %)"]
    return " or ".join([*told[:MOST], *([f"{len(told) - MOST} more rules"] if len(told) > MOST else [])])


def reaches_nobody(strategies: Sequence[Row]) -> bool:
    """Return whether every strategy that counts stands at 0 %."""
    counting = active(strategies)
    return bool(counting) and not any(_reach(strategy) for strategy in counting)


def answers(told: Any, environment: str, where: str) -> dict[tuple[str, str], Answers]:
    """Return what applications report from this environment, by application and hour; hours without any are left out."""
    counted: dict[tuple[str, str], Answers] = {}
    for row in rows(told, where):
        on, off = _count(row, "yes", where), _count(row, "no", where)
        if row.get("environment") == environment and (on or off):
            counted[str(row.get("appName", "")), str(row.get("timestamp", ""))] = on, off
    return counted


def _plain(value: object) -> str:
    """Return JSON of what came as JSON: NaN and all, whoever has sent it."""
    return json.dumps(value, sort_keys=True)


def _reach(strategy: Row) -> str:
    """Return for whom one strategy is on; empty for nobody."""
    name = str(strategy.get("name", ""))
    limited = bool(strategy.get("constraints") or strategy.get("segments"))
    if name == "default":
        return "some, by its constraints" if limited else EVERYBODY
    share = _share(strategy)
    if share is None:
        return f"whom its strategy '{name[:60]}' picks"
    if share <= 0:
        return ""
    if limited:
        return f"{share:g} % of some, by its constraints"
    return EVERYBODY if share >= 100 else f"{share:g} %"


def _share(strategy: Row) -> float | None:
    """Return the percentage of a gradual rollout; None where it is none."""
    parameters = strategy.get("parameters")
    told = parameters.get("rollout", parameters.get("percentage")) if isinstance(parameters, dict) else None
    try:
        share = float(told) if isinstance(told, str | int | float) else None
    except (ValueError, OverflowError):
        return None
    return share if share is not None and 0 <= share <= 100 else None


def _count(row: Row, name: str, where: str) -> int:
    count = row.get(name)
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise ActionFailed(f"{where} does not count answers as Unleash does; is `url` really Unleash's?")
    return count
