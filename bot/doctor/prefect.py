"""The jobs at Prefect: is each one's deployment there, does it take what it would be told, and would somebody carry it out?"""

from collections.abc import Iterator
from typing import cast

from bot.app import registries
from bot.config import Settings
from bot.connectors.prefect import Prefect
from bot.core.errors import AiopsError
from bot.doctor.data import made
from bot.doctor.parts import Part, parts
from bot.doctor.remarks import Remark, hint, ok, problem


def deployments(settings: Settings) -> Iterator[Remark]:
    """Ask about the jobs of each platform of this kind that plays a part for a model; nothing is started."""
    for part in parts(settings, "prefect"):
        yield from _asked(part)


def _asked(part: Part) -> Iterator[Remark]:
    name, model = part.name, part.model
    try:
        server = cast("Prefect", made(name, part.plug, registries().connectors))
    except AiopsError as reason:
        yield problem("trainer", f"'{name}', for {model.key}: {reason}", "Is its section in aiops.yaml right?")
        return
    try:
        for job, deployment in server.deployments().items():
            yield _job(f"'{name}', for {model.key}: {job} ({deployment})", server, job)
    finally:
        server.close()


def _job(what: str, server: Prefect, job: str) -> Remark:
    try:
        way = server.startable(job)
    except AiopsError as reason:
        return problem("trainer", f"{what}: {reason}", "Is its section in aiops.yaml right?")
    if way.paused:
        return problem("trainer", f"{what}: {way.paused}, so no run would begin.", "Resume it in Prefect.")
    if way.silent:
        return hint("trainer", f"{what}: {way.silent}, so a run would wait.", "Start a worker, or the process that serves it.")
    return ok("trainer", f"{what}: READY, carried out by {way.by}; whether the bot may start it only a start can show.")
