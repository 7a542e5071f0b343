"""Run a job that somebody else carries out: a training, a restart, a clean-up. Started once, then looked at until it has ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.core.actions import UNDO, Action, Change, Effect, Going, Json, Platform
from bot.core.errors import ActionFailed, ConfigError
from bot.core.jobs import Jobs, Stage


@dataclass(frozen=True)
class RunJob(Action):
    """Starts a named job, follows it, and stops it when the plan goes back; what it has done by then stays."""

    name: str
    needs: ClassVar[Sequence[str]] = ("order",)

    def plan(self, platform: Platform, target: str, parameters: Json, *, step: str, before: Json | None) -> Change:  # noqa: ARG002
        """Return the change; `parameters` are `job` and whatever this job takes, and it is told the model's name as well.

        Raises:
            ConfigError: no `job` is named, or it cannot take these parameters.
            NotFound: there is no such job.
        """
        job = str(parameters.get("job", ""))
        if not job:
            raise ConfigError(f"Step '{step}': run_job needs `job`, the name of what is to be run.")
        given = {"model": target, **{name: str(value) for name, value in parameters.items() if name != "job"}}
        order = {"job": job, "parameters": given}
        return Change(step, self.name, target, {}, order, f"{platform.name}: {_jobs(platform).order(job, given)}")

    def precheck(self, platform: Platform, change: Change) -> None:
        """Raise unless the job is still there and takes what the plan gives it."""
        _jobs(platform).order(*_ordered(change))

    def apply(self, platform: Platform, change: Change, key: str) -> None:
        """Start it; a second call with the same key starts nothing."""
        _jobs(platform).start(*_ordered(change), key)

    def read_back(self, platform: Platform, change: Change, key: str) -> None:
        """Raise ActionFailed when nothing was started under this key."""
        if _jobs(platform).job(_ordered(change)[0], key).stage is Stage.ABSENT:
            raise ActionFailed(f"'{change.step}' was started, but {platform.name} knows nothing of it.")

    def measure(self, platform: Platform, change: Change, key: str) -> Effect | Going:
        """Return how far it is, or what came of it.

        Raises:
            ActionFailed: it failed, or its platform has lost it.
        """
        job = _jobs(platform).job(_ordered(change)[0], key)
        if job.stage in (Stage.RUNNING, Stage.UNKNOWN):  # what cannot be asked now is asked again, until its time is over
            return Going(job.words)
        if job.stage is Stage.SUCCEEDED:
            return Effect(job.words or "done", dict(job.result))
        why = job.words or ("it is gone" if job.stage is Stage.ABSENT else "it does not say why")
        raise ActionFailed(f"'{change.step}' failed: {why.rstrip('.')}.")

    def blast(self, changes: Sequence[Change]) -> str:
        """Say what is run; what a job does is known to those who wrote it."""
        jobs = ", ".join(dict.fromkeys(_ordered(change)[0] for change in changes))
        return f"runs {jobs} for {changes[0].target}; going back stops it, but what it has done by then stays"

    def undo(self, platform: Platform, change: Change, key: str) -> str:
        """Stop what was started and has not ended."""
        jobs, job, key = _jobs(platform), _ordered(change)[0], key.removesuffix(UNDO)
        stage = jobs.job(job, key).stage
        if stage is Stage.ABSENT:
            return f"{job} was never started."
        if stage not in (Stage.RUNNING, Stage.UNKNOWN):
            return f"{job} had ended; what it did stays."
        jobs.cancel(job, key)
        return f"{job} was told to stop; what it had done by then stays."


def _ordered(change: Change) -> tuple[str, Json]:
    return str(change.after["job"]), change.after["parameters"]  # type: ignore[return-value]


def _jobs(platform: Platform) -> Jobs:
    if not hasattr(platform, "order"):
        raise ConfigError(f"'{platform.name}' runs no jobs, so run_job cannot use it.")
    return platform  # type: ignore[return-value]


run_job = RunJob("run_job")
