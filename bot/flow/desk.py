"""The desk: every port and registry that a verb may touch, laid out once by `bot.app`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.core.actions import Action, Json, Platform
from bot.core.approvals import Policy
from bot.core.checks import Check, Measurement
from bot.core.clues import Search, no_clues
from bot.core.errors import ConfigError, NotAllowed, NotFound
from bot.core.incidents import Incident
from bot.core.models import Model, Split
from bot.core.playbooks import Playbook, Step
from bot.core.ports import Clock, Directory, Meter, Resampling, Scorer, Source, Splitter, Store
from bot.core.profiles import Floats
from bot.core.readings import Reading, Sample
from bot.core.rules import Rule, policy_for
from bot.flow.memory import Memory

Expand = Callable[[Playbook, Json], Sequence[Step]]
Groups = Callable[[str], frozenset[str]]
"""The members of a Slack user group, by id; NotAllowed with the reason where Slack cannot say."""
Paired = Callable[[Sample, Floats, Floats], Measurement]
"""How much worse the first scores are than the second on the same rows: mean difference of log loss, with its interval."""


def no_slack(group: str) -> frozenset[str]:
    """Stand in where nobody meets Slack."""
    raise NotAllowed(f"Only a running bot can ask Slack who is in the user group {group}; do this in Slack, or with a role.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What the verbs work with.

    `clock` is wall time: people, approvals, audit. `data` is the time that the predictions have reached: the same clock in
    production, a faster one where history is replayed. `poll_s` is how often a verification looks again.
    """

    clock: Clock
    data: Clock
    store: Store
    directory: Directory
    models: Mapping[str, Model]
    sources: Mapping[str, Source]
    platforms: Mapping[str, Platform]
    scorers: Mapping[str, Scorer]
    checks: Mapping[str, Check]
    actions: Mapping[str, Action]
    playbooks: Mapping[str, Playbook]
    policies: Mapping[str, Policy]
    expand: Expand
    paired: Paired
    resampling: Resampling
    digest_channel: str = ""
    poll_s: float = 30.0
    sample_rows: int = 20_000
    memory: Memory = field(default_factory=Memory, compare=False, repr=False)
    clues: Search = no_clues
    brake: frozenset[str] = frozenset()
    """The roles that may pause and release the bot; none: whoever may approve anything."""
    rules: Sequence[Rule] = ()
    """The policies of `aiops.yaml` where they are rules; `policies` where they are named by playbook."""
    groups: Groups = no_slack

    def model(self, key: str) -> Model:
        """Return the model of this key ("name@environment") or, when that is unambiguous, of this name."""
        found = [m for m in self.models.values() if key in (m.key, m.name)]
        if len(found) == 1:
            return found[0]
        known = ", ".join(sorted(self.models)) or "none"
        if found:
            raise NotFound(f"'{key}' runs in several environments; write one of {', '.join(sorted(m.key for m in found))}.")
        raise NotFound(f"There is no model '{key}' here. Known: {known}.")

    def recall(self, key: tuple[str, str]) -> Reading | None:
        """Return the reference that was kept under this key: remembered, else from the database; None where none was."""
        remembered = self.memory.recall(key)
        if remembered is not None:
            return remembered
        with self.store.read() as unit:
            stored = unit.reference(*key)
        return self.memory.keep(key, stored) if stored is not None else None

    def source(self, model: Model) -> Source:
        """Return the model's prediction log."""
        return self.sources[model.source]

    def platform(self, model: Model, part: str = "serving") -> Platform:
        """Return what plays this part for the model; "serving" is what shares its traffic."""
        name = model.platform(part)
        if name not in self.platforms:
            where = "`serving:`" if part == "serving" else f"`connectors: {{{part}: …}}`"
            raise ConfigError(f"'{model.key}' names no {part} connector; add {where} to it in aiops.yaml to act on it.")
        return self.platforms[name]

    def offers(self, playbook: Playbook, model: Model) -> bool:
        """Return whether this model has all the platforms that the playbook acts on, each of the kind that its actions need."""
        return all(self.plays(step, model) for step in playbook.steps if not step.optional)

    def plays(self, step: Step, model: Model) -> bool:
        """Return whether something plays the step's part for this model; a splitter plays nothing for an action on aliases."""
        platform = self.platforms.get(model.platform(step.on))
        needs: Sequence[str] = getattr(self.actions.get(step.action), "needs", ())
        return platform is not None and all(hasattr(platform, need) for need in needs)

    def versions(self, model: Model) -> Sequence[str]:
        """Return the versions that could serve, oldest first: those that can be asked to score, else those of the registry."""
        knows = self.scorers.get(model.name) or self.platforms.get(model.serving)
        told: Callable[[str], Sequence[str]] | None = getattr(knows, "versions", None)
        return tuple(told(model.name)) if told else tuple(sorted(self.split(model)))

    def remedies(self, incident: Incident, model: Model) -> list[Playbook]:
        """Return the playbooks that mend this trouble, for which this model has the platforms, and that somebody may approve."""
        mending = [p for p in self.playbooks.values() if p.offered_for(incident.family, incident.severity)]
        meant = [p for p in mending if p.meant_for(model.tier, model.environment)]
        return [p for p in meant if self.offers(p, model) and self.policy(p, model).who]

    def policy(self, playbook: Playbook, model: Model) -> Policy:
        """Return who may approve this playbook on this model; a policy that names nobody where none fits."""
        return self.policies.get(playbook.name) or policy_for(self.rules, playbook, model)

    @property
    def every_policy(self) -> Sequence[tuple[str, Policy]]:
        """Every policy there is, with what it holds for in words."""
        return [*sorted(self.policies.items(), key=lambda named: named[0]), *((rule.words, rule.policy) for rule in self.rules)]

    def split(self, model: Model) -> Split:
        """Return how traffic is shared now; nothing where the model has no splitter."""
        platform = self.platforms.get(model.serving)
        return splitter(platform).split(model.name) if platform is not None else {}


def meter(sources: Mapping[str, Source], name: str) -> Meter:
    """Return the source of this name as a meter, or say that it is none."""
    found = sources.get(name)
    if found is None or not hasattr(found, "series"):
        raise ConfigError(f"'{name}' is no source of metrics; name one of kind prometheus under the model's metrics.")
    return found  # type: ignore[return-value]


def splitter(platform: Platform) -> Splitter:
    """Return the platform as a traffic splitter, or say that it is none."""
    if not hasattr(platform, "split"):
        raise ConfigError(f"'{platform.name}' is no traffic splitter, so it cannot say which version serves.")
    return platform  # type: ignore[return-value]
