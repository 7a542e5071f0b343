"""Approvals in aiops.yaml: by playbook or as rules; what can never hold is refused with its line."""

from datetime import timedelta

import pytest

from bot import shelf
from bot.config import load_settings
from bot.core.approvals import Outcome, Policy, Who
from bot.core.errors import ConfigError
from bot.policies import policies_of
from bot.starter import TEXT

OLD = TEXT[TEXT.index("approvals:") : TEXT.index("# Where predictions")]
RULES = """approvals:
  - playbook: rollback
    tier: critical
    roles: [ml-oncall]
    quorum: 2
  - risk: [low, medium]
    environment: production
    people: [U0ANA]
    groups: [S0SRE]
    confirm: Is the pricing team told?
    expires: 1h
"""


@pytest.fixture
def write(tmp_path):
    def made(approvals=RULES):
        path = tmp_path / "aiops.yaml"
        path.write_text(TEXT.replace(OLD, approvals))
        return load_settings(path)

    return made


def test_rules_are_what_the_file_says(write):
    first, second = write().rules()

    assert (first.words, first.policy) == ("rollback; tier critical", Policy(frozenset({"ml-oncall"}), quorum=2))
    assert second.words == "every playbook; environment production; risk low or medium"
    assert second.policy == Policy(
        expires=timedelta(hours=1),
        people=frozenset({"U0ANA"}),
        groups=frozenset({"S0SRE"}),
        confirm="Is the pricing team told?",
    )


def test_rules_and_policies_by_playbook_exclude_each_other(write):
    assert (len(write().rules()), write().policies()) == (2, {})
    assert (write(OLD).rules(), list(write(OLD).policies())) == ((), ["rollback"])


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("quorum: 2", "quorum: 0", "line 26: approvals.0.quorum must be at least 1"),
        ("quorum: 2", "quorom: 2", "line 26: there is no setting 'quorom' in approvals.0; perhaps 'quorum' is meant"),
        ("tier: critical", "tier: gold", "line 24: approvals.0.tier.0 must be one of 'low', 'standard' or 'critical'"),
        ("[U0ANA]", "[ana]", "line 29: approvals.1.people.0 must look like"),
        ("[S0SRE]", "[sre]", "line 30: approvals.1.groups.0 must look like"),
        ("[ml-oncall]", "[nobody]", r"rule 1 \(rollback; tier critical\) name the role 'nobody', which is not under roles"),
        ("environment: production", "environment: prodution", r"rule 2 holds for the environment 'prodution', where no model is"),
    ],
)
def test_a_mistake_in_a_rule_is_one_sentence_with_its_place(write, old, new, sentence):
    with pytest.raises(ConfigError, match=sentence):
        write(RULES.replace(old, new))


def test_a_rule_behind_a_wider_one_can_never_hold_and_is_refused(write):
    wide = "approvals:\n  - roles: [ml-oncall]\n" + RULES.partition("\n")[2]

    with pytest.raises(ConfigError, match=r"rule 2 \(rollback; tier critical\) can never hold, because rule 1 \(every playbook\)"):
        write(wide)


def test_what_holds_for_a_playbook_is_found_in_both_ways_of_writing(write):
    rollback, retrain = (shelf.read().playbooks[name] for name in ("rollback", "retrain"))

    assert [words for words, _ in policies_of(write().approvals, rollback)] == [rule.words for rule in write().rules()]
    assert [words for words, _ in policies_of(write().approvals, retrain)] == [write().rules()[1].words]
    assert [policy.quorum for _, policy in policies_of(write(OLD).approvals, rollback)] == [1]
    assert policies_of(write(OLD).approvals, retrain) == []


RUNS = """approvals:
  - risk: low
    tier: low
    roles: [ml-oncall]
    on_expiry: run
"""


def test_what_follows_on_expiry_is_what_the_file_says(write):
    (runs,) = write(RUNS).rules()
    escalates = write(OLD.replace("quorum: 1", "on_expiry: escalate\n    escalate_to: {people: [U0DEE]}")).policies()["rollback"]

    assert runs.policy.on_expiry is Outcome.RUN
    assert (escalates.on_expiry, escalates.escalate_to) == (Outcome.ESCALATE, Who(people=frozenset({"U0DEE"})))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            RUNS.replace("tier: low", "tier: [low, standard]"),
            "only in a rule with `risk: low` and `tier: low`",
        ),
        (RUNS.replace("risk: low", "risk: [low, medium]"), "may say `on_expiry: run` only"),
        (OLD.replace("quorum: 1", "on_expiry: run"), "approvals of 'rollback' may say `on_expiry: run` only"),
        (OLD.replace("quorum: 1", "on_expiry: escalate"), "`escalate_to:` with somebody in it need each other"),
        (OLD.replace("quorum: 1", "escalate_to: {people: [U0DEE]}"), "need each other"),
        (OLD.replace("quorum: 1", "on_expiry: escalate\n    escalate_to: {roles: [boss]}"), "name the role 'boss'"),
    ],
    ids=["a tier above", "a risk above", "by playbook", "to nobody", "never", "an unknown role"],
)
def test_an_outcome_that_nobody_may_want_is_refused(write, text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        write(text)


def test_what_the_bot_may_do_by_itself_needs_a_rule_of_low_risk(write):
    low = "approvals:\n  - risk: low\n    roles: [ml-oncall]\n    auto: {per_day: 2, returned_within: 6h}\n"
    (rule,) = write(low).rules()

    assert (rule.policy.auto_per_day, rule.policy.auto_returned) == (2, timedelta(hours=6))
    for text in (low.replace("risk: low", "tier: low"), OLD.replace("quorum: 1", "auto: {per_day: 1}")):
        with pytest.raises(ConfigError, match="may say `auto:` only in a rule with `risk: low`"):
            write(text)


def test_who_may_break_the_glass_is_what_the_file_says(write):
    policy = write(OLD.replace("quorum: 1", "break_glass: {groups: [S0SRE]}")).policies()["rollback"]

    assert policy.break_glass == Who(groups=frozenset({"S0SRE"}))
    with pytest.raises(ConfigError, match="name the role 'boss'"):
        write(OLD.replace("quorum: 1", "break_glass: {roles: [boss]}"))
