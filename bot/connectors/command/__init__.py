"""Commands on this machine as jobs: no shell, each in a process group of its own, outliving the bot and found again by it.

Every start has a folder named after its key, and everything that is known about it lies there as files. That is why a start can be
asked for twice (the folder is claimed once), why a bot that was killed finds its training again, and why nobody has to believe a
process number: whether the runner lives is told by the lock that it holds.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from bot import validation
from bot.connectors.command import runner
from bot.connectors.orders import complete, filled, holes, known
from bot.core.actions import Json
from bot.core.errors import ActionFailed, ConfigError
from bot.core.jobs import Job, Stage
from bot.core.ports import ConnectorKind
from bot.core.words import duration
from bot.validation import Duration, Part

TAIL_BYTES = 8_192
SAID_CHARS = 200
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class Command(Part):
    """One job: the program and its arguments, where and for how long it may run."""

    run: Annotated[list[str], Field(min_length=1, max_length=100)]
    folder: str = "."
    timeout: Duration = Field("6h", validate_default=True)
    environment: list[str] = Field(default_factory=list)


class Options(Part):
    """The section of `aiops.yaml`."""

    jobs: Annotated[dict[str, Command], Field(min_length=1)]
    state: str = "aiops-jobs"


class Commands:
    """Implements `Jobs`."""

    name = "command"

    def __init__(self, options: Options) -> None:
        self._jobs, self._state = options.jobs, Path(options.state).absolute()

    def order(self, job: str, parameters: Json) -> str:
        """Return the command line that would be run.

        Raises:
            NotFound: there is no such job.
            ConfigError: a parameter is missing, or could be taken for an option.
        """
        return f"{job}: {' '.join(self._line(job, parameters))}"

    def start(self, job: str, parameters: Json, key: str) -> None:
        """Start it in a process group of its own; a second start with the same key starts nothing."""
        command, line, here = self._jobs[job], self._line(job, parameters), self._folder(key)
        here.mkdir(parents=True, exist_ok=True)
        told = {
            "key": key,
            "job": job,
            "run": line,
            "folder": str(Path(command.folder).absolute()),
            "timeout_s": command.timeout.total_seconds(),
            "environment": self._environment(command, key, job),
        }
        order = here / runner.ORDER
        if not order.exists():
            runner.write(order, told)
        # the runner claims the start: however often it is called, one of them runs the command, once
        subprocess.Popen(  # noqa: S603 - our own runner, no shell
            [sys.executable, "-I", runner.__file__, str(here)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        )

    def job(self, job: str, key: str) -> Job:  # noqa: ARG002 - the key alone names the start
        """Return where this start stands, by the files that its runner has written."""
        here = self._folder(key)
        if not (here / runner.ORDER).exists():
            return Job(Stage.ABSENT)
        ended = _read(here / runner.ENDED)
        if ended is None and not _alive(here):
            ended = _read(here / runner.ENDED)  # it may have ended between the two looks
            if ended is None and (here / runner.CLAIM).exists():
                return Job(Stage.FAILED, "its runner is gone (killed, or the machine restarted); nobody knows whether it ended")
        words, result = _said(here / runner.OUTPUT)
        if ended is None:
            return Job(Stage.RUNNING, words)
        if ended.get("code") == 0:
            return Job(Stage.SUCCEEDED, words or f"done in {_took(ended)}", result)
        return Job(Stage.FAILED, f"{ended.get('why') or 'exit code ' + str(ended.get('code'))}{f': {words}' if words else ''}")

    def cancel(self, job: str, key: str) -> None:  # noqa: ARG002
        """Let the runner end it with everything that it has started."""
        here = self._folder(key)
        if here.exists():
            (here / runner.CANCEL).touch()

    def _line(self, job: str, parameters: Json) -> list[str]:
        command = known(self._jobs, job)
        complete(job, holes(*command.run), parameters)
        return [_argument(job, argument, parameters) for argument in command.run]

    def _environment(self, command: Command, key: str, job: str) -> dict[str, str]:
        passed = {name: os.environ[name] for name in (*PASSED_ON, *command.environment) if name in os.environ}
        return {**passed, "AIOPS_JOB": job, "AIOPS_KEY": key}

    def _folder(self, key: str) -> Path:
        return self._state / hashlib.sha256(key.encode()).hexdigest()[:32]


def _argument(job: str, argument: str, parameters: Json) -> str:
    """Return one argument with its holes filled: always one argument, and never an option that nobody has written."""
    value = filled(argument, parameters)
    if "\0" in value or (value.startswith("-") and not argument.startswith("-")):
        raise ConfigError(f"A parameter of the job '{job}' looks like an option of its command; choose another value.")
    return value


def _alive(here: Path) -> bool:
    """Return whether a runner holds the lock; one that has just been called has a moment to take it."""
    try:
        with (here / runner.LOCK).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _said(output: Path) -> tuple[str, Mapping[str, object]]:
    """Return the last line that it printed, and its fields where that is a JSON object; `words` of it are what people read."""
    for line in _last_lines(output):
        try:
            told: Any = json.loads(line)
        except ValueError:
            return line[:SAID_CHARS], {}
        if isinstance(told, dict):
            return str(told.get("words", ""))[:SAID_CHARS], told
        return line[:SAID_CHARS], {}
    return "", {}


def _last_lines(output: Path) -> Iterator[str]:
    try:
        with output.open("rb") as file:
            file.seek(max(0, output.stat().st_size - TAIL_BYTES))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return
    yield from (line.strip() for line in reversed(text.splitlines()) if line.strip())


def _read(path: Path) -> Mapping[str, object] | None:
    try:
        told = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise ActionFailed(f"What is known of the job lies in {path}, which cannot be read: {problem}.") from None
    return told if isinstance(told, dict) else {}


def _took(ended: Mapping[str, object]) -> str:
    seconds = ended.get("seconds")
    return duration(timedelta(seconds=float(seconds) if isinstance(seconds, int | float) else 0))


def make(options: Mapping[str, object]) -> Commands:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return Commands(validation.options(options, Options, of="Connector command"))


command = ConnectorKind(
    name="command",
    make=make,
    options={
        "jobs": "for each job: run (program, arguments; {parameter} is filled in), folder, timeout, environment (names passed on)",
        "state": "the folder where what is known of each start is kept; aiops-jobs by default",
    },
    summary="Commands on this machine as jobs: no shell, found again after a restart of the bot",
)
