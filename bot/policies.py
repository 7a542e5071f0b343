"""Approvals as `aiops.yaml` writes them: by playbook, or as rules that are read from the top.

The first rule that fits is the one that holds. A rule that can never hold, because an earlier one fits everything that it fits, is
a mistake and refused.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from bot.core.approvals import Outcome, Policy, Who
from bot.core.playbooks import Playbook
from bot.core.rules import Rule
from bot.validation import Duration, Part

Person = Annotated[str, Field(pattern=r"^[UW][A-Z0-9]{2,30}$")]
Group = Annotated[str, Field(pattern=r"^S[A-Z0-9]{2,30}$")]
Tier = Literal["low", "standard", "critical"]
Risk = Literal["low", "medium", "high"]


def _several(value: object) -> object:
    """Return one name as the list that it stands for."""
    return tuple(value) if isinstance(value, list) else (value,) if isinstance(value, str) else value


class WhoPart(Part):
    """Some people."""

    roles: tuple[str, ...] = Field((), description="Names under `roles:`.")
    people: tuple[Person, ...] = Field((), description="Slack user ids, U….")
    groups: tuple[Group, ...] = Field((), description="Slack user group ids, S…: Slack is asked who is in them at the click.")

    @property
    def who(self) -> Who:
        """Them as the bot knows them."""
        return Who(frozenset(self.roles), frozenset(self.people), frozenset(self.groups))


class AutoPart(Part):
    """What the bot may propose and approve by itself."""

    per_day: int = Field(ge=1, le=100, description="So often a day on one model, UTC; beyond that it asks.")
    returned_within: Duration = Field(
        "1d", validate_default=True, description="What comes back so soon was not mended: from then on it asks on that model."
    )


class ApprovalPart(WhoPart):
    """Who may approve, and how. Nobody named: nobody."""

    quorum: int = Field(1, ge=1)
    self_approval: bool = False
    expires: Duration = Field("4h", validate_default=True)
    confirm: str = Field("", max_length=150, description="What Slack asks before an approval counts, beside the plan itself.")
    on_expiry: Literal["reject", "escalate", "run"] = Field(
        "reject", description="What follows when nobody decides in time; run only where risk and tier are low."
    )
    escalate_to: WhoPart = Field(WhoPart(), description="Who is asked then, once, for as long again.")
    auto: AutoPart | None = Field(None, description="Only in a rule with `risk: low`; without it, people approve everything.")

    break_glass: WhoPart = Field(
        WhoPart(), description="Each of them may approve alone, giving a reason; somebody else reviews it afterwards."
    )

    @model_validator(mode="after")
    def _escalates_to_somebody(self) -> Self:
        if (self.on_expiry == "escalate") != bool(self.escalate_to.who):
            raise ValueError("`on_expiry: escalate` and `escalate_to:` with somebody in it need each other")
        return self

    @property
    def policy(self) -> Policy:
        """It as the bot knows it."""
        return Policy(
            roles=frozenset(self.roles),
            quorum=self.quorum,
            self_approval=self.self_approval,
            expires=self.expires,
            people=frozenset(self.people),
            groups=frozenset(self.groups),
            confirm=self.confirm,
            on_expiry=Outcome(self.on_expiry),
            escalate_to=self.escalate_to.who,
            break_glass=self.break_glass.who,
            auto_per_day=self.auto.per_day if self.auto else 0,
            auto_returned=self.auto.returned_within if self.auto else timedelta(days=1),
        )


class RulePart(ApprovalPart):
    """An approval with what it holds for; what is left out fits everything."""

    playbook: Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...])] = ()
    tier: Annotated[tuple[Tier, ...], BeforeValidator(_several, json_schema_input_type=Tier | tuple[Tier, ...])] = ()
    environment: Annotated[tuple[str, ...], BeforeValidator(_several, json_schema_input_type=str | tuple[str, ...])] = ()
    risk: Annotated[tuple[Risk, ...], BeforeValidator(_several, json_schema_input_type=Risk | tuple[Risk, ...])] = ()

    @property
    def rule(self) -> Rule:
        """It as the bot knows it."""
        fits = (frozenset(wanted) for wanted in (self.playbook, self.tier, self.environment, self.risk))
        return Rule(self.policy, *fits)


class BrakePart(Part):
    """Who may pause and resume everything that acts."""

    roles: tuple[str, ...] = Field((), description="Empty: whoever may approve anything.")


Approvals = Annotated[
    Annotated[Mapping[str, ApprovalPart], Tag("(by playbook)")] | Annotated[tuple[RulePart, ...], Tag("(rules)")],
    Discriminator(lambda value: "(rules)" if isinstance(value, list | tuple) else "(by playbook)"),
]


Written = Mapping[str, ApprovalPart] | Sequence[RulePart]


def named(approvals: Written) -> Iterator[tuple[str, ApprovalPart]]:
    """Yield every policy with what an error calls it."""
    if isinstance(approvals, Mapping):
        yield from ((f"approvals of '{name}'", part) for name, part in approvals.items())
    else:
        yield from ((f"approvals, rule {number} ({part.rule.words})", part) for number, part in enumerate(approvals, 1))


def policies_of(approvals: Written, playbook: Playbook) -> list[tuple[str, Policy]]:
    """Return the policies that hold for a playbook on some model and name anybody, each with what it holds for."""
    if isinstance(approvals, Mapping):
        found = [("", approvals[playbook.name].policy)] if playbook.name in approvals else []
    else:
        found = [(part.rule.words, part.policy) for part in approvals if part.rule.speaks_of(playbook)]
    return [(words, policy) for words, policy in found if policy.who]


def harmless(part: ApprovalPart) -> bool:
    """Return whether it holds only for playbooks of low risk on models of the lowest tier."""
    return isinstance(part, RulePart) and part.risk == ("low",) and part.tier == ("low",)


def wrong_approvals(
    approvals: Written,
    brake: BrakePart,
    roles: Collection[str],
    environments: Collection[str],
) -> Iterator[str]:
    """Yield what is wrong with who may approve, one sentence each: names that do not meet, rules that can never hold."""
    for where, part in named(approvals):
        if strange := [role for role in (*part.roles, *part.escalate_to.roles, *part.break_glass.roles) if role not in roles]:
            yield f"{where} name the role '{strange[0]}', which is not under roles"
        if part.on_expiry == "run" and not harmless(part):
            yield f"{where} may say `on_expiry: run` only in a rule with `risk: low` and `tier: low`"
        if part.auto and not (isinstance(part, RulePart) and part.risk == ("low",)):
            yield f"{where} may say `auto:` only in a rule with `risk: low`"
    if strange := [role for role in brake.roles if role not in roles]:
        yield f"brake names the role '{strange[0]}', which is not under roles"
    if not isinstance(approvals, Mapping):
        yield from _rules(approvals, environments)


def _rules(parts: Sequence[RulePart], environments: Collection[str]) -> Iterator[str]:
    for number, part in enumerate(parts, 1):
        if environments and (strange := [name for name in part.environment if name not in environments]):
            known = ", ".join(sorted(environments))
            yield f"approvals, rule {number} holds for the environment '{strange[0]}', where no model is (there: {known})"
        for earlier, other in enumerate(parts[: number - 1], 1):
            if other.rule.covers(part.rule):
                yield (
                    f"approvals, rule {number} ({part.rule.words}) can never hold, because rule {earlier} ({other.rule.words}) "
                    "fits everything that it fits; put the narrower rule first"
                )
