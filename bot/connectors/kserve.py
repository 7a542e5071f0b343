"""KServe as a traffic splitter: the share of an InferenceService's newest revision, the rest to the one rolled out before it.

What its controller does by its source (August 2026), and what follows. `canaryTrafficPercent` is heeded in Serverless mode only
(now also called Knative), so every other mode is refused. It means the newest revision that is *ready*, whatever was deployed
last, so nothing is set while the newest one is not. A version that was rolled out whole is taken back in two turns: for a while
all traffic still goes to it. `status.traffic` says where traffic shall go, the condition of the route when it does. And
`status.observedGeneration` counts another object's generations, so it tells nothing here.

Nothing counts requests there, so nothing is measured: the bot waits until KServe itself says that it routes as it was asked to.
None of this has met a real cluster: the tests' API server is a fake with a controller after that source.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from bot.connectors.kubernetes.access import ACCESS, Name, Routing, Target, routing
from bot.connectors.kubernetes.api import Api, Right, line
from bot.connectors.kubernetes.papers import Paper, at, count, rows, text
from bot.core.deployments import NotNow
from bot.core.errors import ActionFailed, NotFound, WorldMoved
from bot.core.models import Split, servable, split_words, whole_steps
from bot.core.ports import ConnectorKind

GROUP, KNATIVE = "serving.kserve.io", "serving.knative.dev"
GET = Right("get", GROUP, "inferenceservices", version="v1beta1")
PATCH = Right("patch", GROUP, "inferenceservices", version="v1beta1")
REVISION = Right("get", KNATIVE, "revisions")
RIGHTS = (GET, PATCH, REVISION)
MODE, STOP = f"{GROUP}/deploymentMode", f"{GROUP}/stop"
SERVERLESS = ("Serverless", "Knative")
PERCENT = 100
TRIES = 5


class Place(Target):
    """The InferenceService that serves a model."""

    called: Name = Field(alias="service")


class Options(Routing):
    """The section of `aiops.yaml`."""

    targets: Annotated[dict[str, Place], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Seen:
    """Where an InferenceService stands: its newest ready revision, the other that may serve, and the newest made at all.

    `percent` is what was ordered for the newest ready one, `routed` the percent of each revision by its status, `trouble` why its
    route is not ready, in words.
    """

    latest: str
    other: str
    created: str
    percent: int
    routed: Mapping[str, int]
    trouble: str
    version: str

    @property
    def revisions(self) -> tuple[str, ...]:
        """Those that may serve, the older one first."""
        return tuple(name for name in (self.other, self.latest) if name)

    @property
    def ordered(self) -> Mapping[str, int]:
        """The percent of each revision that was asked for; alone, a revision gets everything whatever was asked."""
        if not self.other:
            return {self.latest: PERCENT}
        return {self.other: PERCENT - self.percent, self.latest: self.percent}


class KServe:
    """Implements `Router`; `targets` maps a model to the namespace and name of its InferenceService."""

    name = "kserve"
    grain = PERCENT

    def __init__(self, api: Api, targets: Mapping[str, tuple[str, str]], version_label: str = "") -> None:
        self._api, self._targets, self._label = api, targets, version_label

    def split(self, target: str) -> Split:
        """Return the shares by which KServe says that it routes now."""
        seen = self._seen(target)
        if sum(seen.routed.values()) != PERCENT:
            raise NotNow(f"{self.where(target)} does not route all of its traffic now{seen.trouble}.")
        return self._shares(target, seen, seen.routed)

    def ordered(self, target: str) -> Split:
        """Return the shares that were asked for."""
        seen = self._seen(target)
        return self._shares(target, seen, seen.ordered)

    def settling(self, target: str) -> str:
        """Return in words why it does not route as ordered yet; empty where it does."""
        seen = self._seen(target)
        if seen.created != seen.latest:
            return f"its newest revision {seen.created} is not ready yet"
        if {name: n for name, n in seen.routed.items() if n} != {name: n for name, n in seen.ordered.items() if n}:
            return f"KServe still routes {split_words(self._shares(target, seen, seen.routed))}{seen.trouble}"
        return f"KServe has taken the shares up{seen.trouble}" if seen.trouble else ""

    def check(self, target: str, split: Split) -> None:
        """Raise what keeps these shares from being ordered now."""
        self._percent(target, self._seen(target), split)

    def set_split(self, target: str, split: Split, key: str) -> None:  # noqa: ARG002 - absolute, so a repetition changes nothing
        """Order the percent of the newest revision; what the rest gets follows.

        Raises:
            WorldMoved: these are no longer its revisions.
        """
        namespace, service = self._place(target)
        for _ in range(TRIES):
            seen = self._seen(target)
            percent = self._percent(target, seen, split)
            if percent == seen.ordered[seen.latest]:
                return
            order = {"spec": {"predictor": {"canaryTrafficPercent": percent}}}
            if self._api.patch(PATCH, namespace, service, {"metadata": {"resourceVersion": seen.version}, **order}):
                return
        raise ActionFailed(f"{self.where(target)} changed at each of {TRIES} tries to write it; look who else is changing it.")

    def versions(self, target: str) -> list[str]:
        """Return the versions that may serve, the older one first."""
        seen = self._seen(target)
        return list(self._names(target, seen).values())

    def missing(self, target: str) -> list[str]:
        """Return what the bot may not do in the model's namespace although it needs it, as a Role writes it."""
        namespace, service = self._place(target)
        return [r.words for r in RIGHTS if not self._api.may(r, namespace, "" if r is REVISION else service)]

    def where(self, target: str) -> str:
        """Return which InferenceService serves the model, for people."""
        return f"InferenceService {'/'.join(self._place(target))}"

    def close(self) -> None:
        """Close idle connections."""
        self._api.close()

    def _percent(self, target: str, seen: Seen, split: Split) -> int:
        names = self._names(target, seen)
        strangers = [version for version in split if version not in names.values()]
        if strangers:
            known = " and ".join(names.values())
            raise WorldMoved(
                f"{strangers[0]} is none of the versions that KServe shares {target} between since the last deployment: {known}."
            )
        shares = servable(target, split, names.values())
        if seen.created != seen.latest:
            raise ActionFailed(
                f"The newest revision of {target}, {seen.created}, is not ready, so its share would go to {seen.latest}; "
                "wait for it, or put the InferenceService back to what it was."
            )
        percent = whole_steps(shares, PERCENT)[names[seen.latest]]
        if percent < PERCENT and not seen.routed.get(seen.other):
            self._kept(target, seen.other)
        return percent

    def _kept(self, target: str, revision: str) -> None:
        """Raise NotFound where Knative has cleaned a revision away that nobody used."""
        try:
            self._api.read(REVISION, self._place(target)[0], revision)
        except NotFound:
            raise NotFound(f"Knative no longer keeps revision {revision} of {target}, so there is nothing to go back to.") from None

    def _shares(self, target: str, seen: Seen, percents: Mapping[str, int]) -> dict[str, float]:
        names = {**self._names(target, seen), **{name: name for name in percents if name not in seen.revisions}}
        return {words: percents.get(revision, 0) / PERCENT for revision, words in names.items()}

    def _names(self, target: str, seen: Seen) -> dict[str, str]:
        """Return what people call each revision: what its label says, else its own name; of two alike, the newer has the label."""
        if not self._label:
            return {revision: revision for revision in seen.revisions}
        said = {revision: self._version(target, revision) or revision for revision in seen.revisions}
        if seen.other and said[seen.other] == said[seen.latest]:
            said[seen.other] += f" ({seen.other})"
        return said

    def _version(self, target: str, revision: str) -> str:
        try:
            paper = self._api.read(REVISION, self._place(target)[0], revision)
        except NotFound:
            return ""
        return line(at(paper, "metadata", "labels", self._label))

    def _seen(self, target: str) -> Seen:
        namespace, service = self._place(target)
        paper = self._api.read(GET, namespace, service)
        if paper.get("kind") != "InferenceService" or text(paper, "metadata", "name") != service:
            raise ActionFailed(f"Kubernetes answered with something else than the InferenceService '{service}'.")
        _serverless(self.where(target), paper)
        return _seen(self.where(target), paper)

    def _place(self, target: str) -> tuple[str, str]:
        if target not in self._targets:
            raise NotFound(f"No InferenceService is named for '{target}'; known: {', '.join(sorted(self._targets))}.")
        return self._targets[target]


def _serverless(where: str, paper: Paper) -> None:
    """Raise ActionFailed where KServe would not heed a share at all."""
    if at(paper, "metadata", "annotations", STOP) == "true":
        raise ActionFailed(f"{where} is stopped, so it serves nothing; take its annotation {STOP} away first.")
    said = line(at(paper, "status", "deploymentMode")) or line(at(paper, "metadata", "annotations", MODE))
    if said and said not in SERVERLESS:
        raise ActionFailed(
            f"{where} runs in {said} mode, where KServe heeds no canaryTrafficPercent; "
            "its traffic can be moved in Serverless mode only."
        )
    if not said and not list(rows(paper, "status", "components", "predictor", "traffic")):
        raise ActionFailed(f"{where} does not say in which mode it runs, and shows no traffic; the bot needs Serverless mode.")


def _seen(where: str, paper: Paper) -> Seen:
    predictor = at(paper, "status", "components", "predictor")
    names = ("latestReadyRevision", "latestCreatedRevision", "latestRolledoutRevision", "previousRolledoutRevision")
    ready, created, rolled, before = (line(at(predictor, name)) for name in names)
    if not ready:
        raise ActionFailed(f"{where} has no revision that is ready, so it serves nothing yet.")
    percent = count(paper, "spec", "predictor", "canaryTrafficPercent", default=PERCENT)
    if percent > PERCENT:
        raise ActionFailed(f"{where} asks for a canaryTrafficPercent of {percent}; correct it first.")
    routed: dict[str, int] = {}
    for row in rows(predictor, "traffic"):
        revision = line(at(row, "revisionName")) or (ready if at(row, "latestRevision") is True else "")
        if revision:
            routed[revision] = routed.get(revision, 0) + count(row, "percent")
    other = before if rolled == ready else rolled
    return Seen(ready, other, created or ready, percent, routed, _trouble(paper), text(paper, "metadata", "resourceVersion"))


def _trouble(paper: Paper) -> str:
    """Return why the route is not ready, as the end of a sentence."""
    route = next((row for row in rows(paper, "status", "conditions") if row.get("type") == "PredictorRouteReady"), {})
    if route.get("status") == "True":
        return ""
    why = (line(route.get("message")) or line(route.get("reason"))).rstrip(".")
    return f"; its route is not ready{f' ({why})' if why else ''}"


def make(options: Mapping[str, object]) -> KServe:
    """Build it from its section of the configuration.

    Raises:
        ConfigError: an option is missing or wrong, or the bot does not run in a cluster and no `url` says where one is.
    """
    return KServe(*routing(options, Options, of="Connector kserve"))


kserve = ConnectorKind(
    name="kserve",
    make=make,
    options={
        "targets": "for each model: service (its InferenceService), namespace",
        "version_label": "label of a revision that names its version as the log does; without it, revisions go by their own names",
        **ACCESS,
    },
    summary="Traffic between two revisions of a KServe InferenceService, in Serverless mode only: read back, never counted",
)
