"""The doctor: everything that an installation needs, looked at one by one, each in one sentence with the way out.

It stops at nothing: what cannot be looked at is said, and the next thing is looked at. Secrets are looked for, never shown.
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from bot.config import Settings, load_settings
from bot.core.errors import AiopsError
from bot.core.words import several
from bot.doctor import clusters, data, flags, holds, machine, metrics, papers, people, prefect, slack, trainers
from bot.doctor.remarks import Remark, ok, problem

__all__ = ["Remark", "examine", "healthy"]


def examine(config: Path, *, online: bool = True) -> Iterator[Remark]:
    """Look at everything and yield a remark for each thing; without `online` nobody is called."""
    yield from machine.python()
    try:
        settings = load_settings(config)
    except AiopsError as reason:
        yield problem("configuration", str(reason))
        return
    yield from (problem("configuration", wrong) for wrong in papers.problems(config))
    yield ok("configuration", f"{config}: {several(len(settings.models), 'model')}, {several(len(settings.sources), 'source')}.")
    for look in _looks(config, settings, online=online):
        yield from _survived(look)


def healthy(remarks: Iterable[Remark]) -> bool:
    """Return whether nothing is wrong; hints do not count."""
    return all(remark.state != "problem" for remark in remarks)


def _looks(config: Path, settings: Settings, *, online: bool) -> Iterator[Callable[[], Iterable[Remark]]]:
    yield lambda: people.approvals(settings, papers.shelf(config).playbooks)
    yield lambda: machine.key_file(settings)
    yield lambda: machine.disk(settings)
    yield lambda: slack.tokens(settings)
    yield lambda: data.database(settings)
    yield lambda: holds.holds(settings)
    yield lambda: data.sources(settings)
    if online:
        yield lambda: metrics.queries(settings)
        yield lambda: data.splitters(settings)
        yield lambda: data.scorers(settings)
        yield lambda: clusters.deployments(settings)
        yield lambda: clusters.routers(settings)
        yield lambda: flags.flags(settings)
        yield lambda: trainers.trainers(settings)
        yield lambda: prefect.deployments(settings)
        yield lambda: slack.workspace(settings)


def _survived(look: Callable[[], Iterable[Remark]]) -> Iterator[Remark]:
    try:
        yield from look()
    except AiopsError as reason:
        yield problem("configuration", str(reason))
    except Exception as error:  # noqa: BLE001  the doctor's outermost loop: a look that fails is itself a remark
        yield problem("doctor", f"a look failed: {type(error).__name__}: {error}.", "Report this; the other lines still count.")
