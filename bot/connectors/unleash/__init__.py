"""Unleash: a model's feature flag in one environment, switched over the admin API, and what applications report of it. Plain REST.

What a real Unleash (6.10.1) does, and what follows. It says `enabled` of a flag whose strategies stand at 0 %, or whose parent
is off, though no application gets it: so the strategies are read, and its own playground is asked where there is a parent.
Switching on a flag without an active strategy makes a new one for everybody, which stays: so the plan says that. An archived
flag still answers under its environment, as switched off: so the whole flag is read. In maintenance mode a write is a 503 that
has done nothing. An SDK's token reads nothing here (403), nor does a wrong one (401), and a viewer's reads all and switches
nothing (403).

Unleash Enterprise with its change requests has not been met; it refuses the switch, and that is said.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field

from bot import validation
from bot.connectors.unleash import rules
from bot.core.errors import ActionFailed, ConfigError, NotFound, OutcomeUnknown
from bot.core.ports import ConnectorKind
from bot.core.toggles import Answers, Toggle, named
from bot.http import Allowed, Answer, Http
from bot.validation import Part

SERVER_ERROR = 500
HOURS = "2"
"""Of so many hours the reports are read: an hour may end while they are counted."""
MAY_SWITCH = "UPDATE_FEATURE_ENVIRONMENT"
ALL = "ADMIN"
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._~-]{0,99}$")]


class Place(Part):
    """Which flag is a model's, and the project in which it lies where that is another than the section's."""

    flag: Name
    project: Name | None = None


class Options(Part):
    """The section of `aiops.yaml`."""

    url: str
    token: Annotated[str, Field(min_length=1)]
    environment: Name
    flags: Annotated[dict[str, Place], Field(min_length=1)]
    project: Name = "default"
    timeout: float = Field(default=10.0, gt=0, le=60)


class Unleash:
    """Implements `Toggles`."""

    name = "unleash"

    def __init__(self, options: Options) -> None:
        self._url = options.url.rstrip("/").removesuffix("/api") + "/api/admin"
        self._flags, self._project, self._environment = options.flags, options.project, options.environment
        self._headers = {"authorization": _sendable(options.token)}
        self._http = Http(Allowed.of(self._url), deadline_s=options.timeout)

    def toggle(self, target: str) -> Toggle:
        """Return where the model's flag stands in the environment.

        Raises:
            NotFound: there is no such flag in that project, it is archived, or it has no such environment.
        """
        answer = self._flag(target)
        told = answer.json()
        if not isinstance(told, dict) or told.get("archived") is not False:
            raise ActionFailed(f"{answer.where} does not tell flags as Unleash does; is `url` really Unleash's?")
        here = self._here(target, rules.rows(told.get("environments"), answer.where))
        strategies = rules.rows(here.get("strategies"), answer.where)
        parents = rules.rows(told.get("dependencies", []), answer.where)
        return Toggle(
            flag=self._place(target).flag,
            place=self._environment,
            on=rules.truth(here.get("enabled"), answer.where),
            reach=rules.reach(strategies),
            rules=rules.digest(strategies),
            bare=not rules.active(strategies),
            nobody=self._nobody(target, strategies, [str(parent.get("feature", "")) for parent in parents]),
            followers=rules.names(told.get("children", []), answer.where),
        )

    def switch(self, target: str, key: str, *, on: bool) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Switch the model's flag in the environment.

        Raises:
            NotFound: there is no such flag, or no such environment of it.
            OutcomeUnknown: the answer was cut off, or Unleash broke down over it.
        """
        place, words = self._place(target), "on" if on else "off"
        answer = self._http.post(f"{self._path(target)}/environments/{self._environment}/{words}", headers=self._headers)
        if answer.status == 403:
            raise ActionFailed(
                f"This token may not switch '{place.flag}' in {self._environment} (403): it needs {MAY_SWITCH} there; "
                "where change requests are on, switch it in Unleash."
            )
        if answer.status >= SERVER_ERROR and not _in_maintenance(answer):
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}.")
        self._checked(answer, target)

    def answered(self, target: str) -> Mapping[tuple[str, str], Answers]:
        """Return what applications report that they were answered in the environment, by application and hour, of two hours."""
        path = f"{self._url}/client-metrics/features/{self._place(target).flag}/raw"
        answer = self._checked(self._http.get(path, params={"hoursBack": HOURS}, headers=self._headers), target)
        told = answer.json()
        return rules.answers(told.get("data") if isinstance(told, dict) else None, self._environment, answer.where)

    def lacks(self, target: str) -> str:
        """Return the permission that the token lacks to switch the model's flag; empty where it has it. Nothing is switched."""
        answer = self._checked(self._http.get(f"{self._url}/user", headers=self._headers), target)
        told = answer.json()
        held = rules.rows(told.get("permissions") if isinstance(told, dict) else None, answer.where)
        return "" if any(self._permits(row, target) for row in held) else MAY_SWITCH

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _place(self, target: str) -> Place:
        if target not in self._flags:
            raise NotFound(f"Unleash is told of no flag of '{target}'; known: {', '.join(sorted(self._flags))}.")
        return self._flags[target]

    def _project_of(self, target: str) -> str:
        return self._place(target).project or self._project

    def _path(self, target: str) -> str:
        return f"{self._url}/projects/{self._project_of(target)}/features/{self._place(target).flag}"

    def _flag(self, target: str) -> Answer:
        return self._checked(self._http.get(self._path(target), headers=self._headers), target)

    def _here(self, target: str, environments: Sequence[rules.Row]) -> rules.Row:
        """Return what is told of the flag in the environment."""
        for environment in environments:
            if environment.get("name") == self._environment:
                return environment
        known = named([str(environment.get("name")) for environment in environments], 10) or "none"
        raise NotFound(
            f"The project '{self._project_of(target)}' has no environment '{self._environment}' in Unleash; it has: {known}."
        )

    def _nobody(self, target: str, strategies: Sequence[rules.Row], parents: Sequence[str]) -> str:
        """Return why no application gets the flag even while it is on."""
        if rules.reaches_nobody(strategies):
            return "its strategies stand at 0 %"
        if parents and self._unsatisfied(target):
            return f"it depends on {named(parents)}, which does not stand as it needs"
        return ""

    def _unsatisfied(self, target: str) -> bool:
        """Ask Unleash's playground whether the flag's parents keep it from everybody."""
        asked = {"projects": [self._project_of(target)], "environment": self._environment, "context": {"appName": "aiops-bot"}}
        answer = self._checked(self._http.ask(f"{self._url}/playground", json=asked, headers=self._headers), target)
        told = answer.json()
        for row in rules.rows(told.get("features") if isinstance(told, dict) else None, answer.where):
            if row.get("name") == self._place(target).flag:
                return rules.truth(row.get("hasUnsatisfiedDependency"), answer.where)
        raise ActionFailed(f"{answer.where} says nothing of '{self._place(target).flag}'.")

    def _permits(self, row: rules.Row, target: str) -> bool:
        """Return whether a permission of the token's holder allows to switch the flag here."""
        if row.get("permission") == ALL:
            return True
        here = row.get("project") in (None, "*", self._project_of(target)), row.get("environment") in (None, "*", self._environment)
        return row.get("permission") == MAY_SWITCH and all(here)

    def _checked(self, answer: Answer, target: str) -> Answer:
        place, project = self._place(target), self._project_of(target)
        if _in_maintenance(answer):
            raise ActionFailed("Unleash is in maintenance mode and switches nothing; end that there first.")
        if answer.status in (401, 403):
            raise ActionFailed(
                f"Unleash lets nobody in with this token ({answer.status}); `token` must be an admin's or a person's own token, "
                "not an SDK's."
            )
        if answer.status == 404 or (answer.status == 400 and "ArchivedFeatureError" in answer.text):
            raise NotFound(
                f"Unleash has no flag '{place.flag}' to switch in {self._environment} in the project '{project}', "
                f"or it is archived; compare what `flags` says of {target} with it."
            )
        return answer.checked()


def _in_maintenance(answer: Answer) -> bool:
    return answer.status == 503 and "maintenance mode" in answer.text


def _sendable(token: str) -> str:
    """Return the token; one with a line's end in it (a file's) would be no header."""
    token = token.strip()
    if not token.isascii() or not token.isprintable():
        raise ConfigError("Connector unleash: `token` is none; it holds characters that no token has.")
    return token


def make(options: Mapping[str, object]) -> Unleash:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong.
    """
    return Unleash(validation.options(options, Options, of="Connector unleash"))


unleash = ConnectorKind(
    name="unleash",
    make=make,
    options={
        "url": "of Unleash itself, e.g. https://unleash.corp",
        "token": "an admin's or a person's own token that may switch flags, named: ${env:UNLEASH_TOKEN} or ${file:…}",
        "environment": "Unleash's environment in which flags are switched, e.g. production",
        "flags": "for each model: flag, and project where it is another one",
        "project": "the project in which the flags lie; default by default",
        "timeout": "seconds that one call may take, whole; 10 by default",
    },
    summary="Unleash's feature flags: switched in one environment, then counted by what applications say they were answered",
)
