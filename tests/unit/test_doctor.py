"""The doctor: each thing that may be wrong with an installation is one line with the way out."""

import json
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import pytest

from bot import shelf
from bot.app import registries
from bot.config import Settings, load_settings
from bot.core.metrics import Series
from bot.doctor import data, examine, healthy, holds, machine, metrics, papers, people, slack
from bot.doctor.remarks import hint, ok, problem
from bot.slack.manifest import SCOPES
from bot.starter import TEXT
from bot.store import schema
from bot.store.database import open_store
from tests.fakes.nouns import a_hold

SECRET = "xoxb-very-secret-indeed"


MODEL = {
    "name": "churn",
    "team": "ml",
    "source": "log",
    "reference": {"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"},
    "watches": [{"name": "hourly", "every": "0 * * * *", "window": "1h", "checks": ["missing"]}],
}


def with_a_trainer(*, trainer, allowed):
    """What is said of `retrain`, where a model has a trainer or not and somebody may approve it or not."""
    model = {**MODEL, **({"connectors": {"trainer": "nightly"}} if trainer else {})}
    made = settings(
        teams={"ml": {}},
        sources={"log": {"kind": "files", "path": "x.parquet"}},
        platforms={"nightly": {"kind": "command", "jobs": {}}},
        models=[model],
        roles={"oncall": ["U0ANA", "U0BO"]},
        approvals={"retrain": {"roles": ["oncall"]}} if allowed else {},
    )
    return [remark.words for remark in people.approvals(made, {"retrain": shelf.read().playbooks["retrain"]})]


def settings(**parts) -> Settings:
    return Settings.model_validate_json(json.dumps(parts))


def approvals(*oncall, **policy):
    made = settings(roles={"oncall": oncall}, approvals={"rollback": {"roles": ["oncall"], **policy}})
    return list(people.approvals(made, {"rollback": shelf.read().playbooks["rollback"]}))


@pytest.fixture
def started(tmp_path, monkeypatch):
    """A folder with the configuration that `aiops init` writes."""
    monkeypatch.chdir(tmp_path)
    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "aiops.yaml").write_text(TEXT)
    return tmp_path


@dataclass
class Pages:
    """A Slack that lists these channels, a page each."""

    channels: list[dict[str, object]]
    asked: list[str] = field(default_factory=list)

    def conversations_list(self, *, cursor, **_paging):
        self.asked.append(cursor)
        at = int(cursor or 0)
        rest = at + 1 < len(self.channels)
        return type(
            "Answer",
            (),
            {"data": {"channels": [self.channels[at]], "response_metadata": {"next_cursor": str(at + 1) if rest else ""}}},
        )


def test_a_missing_file_ends_the_visit_with_the_way_out(tmp_path):
    remarks = list(examine(tmp_path / "aiops.yaml", online=False))

    assert "aiops init" in remarks[-1].words
    assert not healthy(remarks)


def test_one_wrong_thing_does_not_hide_the_others(started):
    remarks = list(examine(started / "aiops.yaml", online=False))

    assert {"approvals", "slack", "database", "source"} <= {r.topic for r in remarks if r.state == "problem"}


def test_hints_leave_an_installation_healthy():
    assert healthy([ok("a", "b"), hint("a", "b", "c")])
    assert not healthy([problem("a", "b")])


def test_a_role_without_people_is_said():
    assert "has no people" in approvals()[0].words


def test_a_quorum_that_nobody_can_reach_is_said():
    found = approvals("U1", quorum=2)[0]

    assert (found.state, "only 1" in found.words) == ("problem", True)


def test_one_person_who_could_only_approve_others_is_a_hint():
    assert approvals("U1")[0].state == "hint"


def test_one_person_may_be_enough_where_the_policy_says_so():
    assert approvals("U1", self_approval=True)[0].state == "ok"


def test_a_playbook_without_a_policy_is_a_hint():
    assert "nobody may approve" in next(iter(people.approvals(settings(), {"rollback": shelf.read().playbooks["rollback"]}))).words


def test_a_policy_for_no_playbook_is_a_problem():
    made = settings(roles={"oncall": ["U1"]}, approvals={"rolback": {"roles": ["oncall"]}})

    assert "there is no playbook 'rolback'" in next(iter(people.approvals(made, {}))).words


def test_a_key_that_others_may_read_is_a_problem(tmp_path):
    key = tmp_path / "audit.key"
    key.write_text("secret")
    key.chmod(0o644)

    found = next(iter(machine.key_file(settings(audit={"key": str(key)}))))

    assert (found.state, found.mend) == ("problem", f"chmod 600 {key}")


def test_a_key_of_its_owner_is_well(tmp_path):
    key = tmp_path / "audit.key"
    key.touch(mode=0o600)

    assert next(iter(machine.key_file(settings(audit={"key": str(key)})))).state == "ok"


def test_a_folder_that_is_not_there_is_said(tmp_path):
    assert "does not exist" in next(iter(machine.disk(settings(database=f"sqlite:///{tmp_path}/gone/a.db")))).words


def test_a_wrong_token_is_named_and_never_shown(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", SECRET)
    monkeypatch.setenv("SLACK_APP_TOKEN", SECRET)

    remarks = list(slack.tokens(settings()))

    assert [r.state for r in remarks] == ["ok", "problem"]
    assert SECRET not in str(remarks)


def test_a_slack_that_does_not_answer_is_said_without_the_token(monkeypatch):
    monkeypatch.setenv("SLACK_BOT_TOKEN", SECRET)

    remarks = list(slack.workspace(settings(slack={"base_url": "http://127.0.0.1:9/api/"})))

    assert [r.state for r in remarks] == ["problem"]
    assert SECRET not in str(remarks)


def test_a_missing_scope_is_said_with_what_it_is_for():
    granted = ",".join(sorted(set(SCOPES) - {"files:write"}))

    assert "files:write: to show charts" in next(iter(slack.scopes({"X-OAuth-Scopes": granted}))).words


def test_all_scopes_are_well():
    assert next(iter(slack.scopes({"x-oauth-scopes": ", ".join(SCOPES)}))).state == "ok"


def test_channels_are_looked_for_on_every_page():
    listed = [{"name": "a", "id": "C1", "is_member": True}, {"name": "ml-incidents", "id": "C2", "is_member": False}]
    made = settings(slack={"digest": "C1"}, teams={"ml": {"channel": "nowhere"}})

    states = {r.words: r.state for r in slack.channels(made, Pages(listed))}

    assert states == {
        "the bot is a member of 'C1'.": "ok",
        "the bot is no member of 'ml-incidents'.": "problem",
        "there is no channel 'nowhere' that the bot can see.": "problem",
    }


def test_a_database_without_tables_is_said_with_the_way_out(tmp_path):
    found = next(iter(data.database(settings(database=f"sqlite:///{tmp_path}/a.db"))))

    assert found.state == "problem"
    assert "aiops db upgrade" in found.words + found.mend


def test_a_database_that_fits_is_well(tmp_path):
    url = f"sqlite:///{tmp_path}/a.db"
    schema.upgrade(url)

    assert [r.state for r in data.database(settings(database=url))] == ["ok", "ok"]


def test_a_source_that_cannot_be_read_is_said_by_name(started):
    remarks = list(data.sources(load_settings(started / "aiops.yaml")))

    assert [(r.state, "'predictions'" in r.words) for r in remarks] == [("problem", True)]


def test_a_splitter_that_does_not_answer_is_a_problem(started):
    targets = "{churn: {v1: {runtime_key: a.b, cluster: c}}}"
    gateway = f"platforms:\n  gateway:\n    kind: envoy\n    admin: http://127.0.0.1:9\n    targets: {targets}"
    text = TEXT.replace("platforms: {}", gateway)
    (started / "aiops.yaml").write_text(text.replace("# serving: gateway", "serving: gateway"))

    remarks = list(data.splitters(load_settings(started / "aiops.yaml")))

    assert [(r.state, r.topic) for r in remarks] == [("problem", "splitter")]


def test_a_misspelt_option_is_told_its_right_name(started):
    (started / "aiops.yaml").write_text(TEXT.replace("    table: predictions", "    tabel: predictions"))

    assert papers.problems(started / "aiops.yaml") == ["'predictions': a sql has no option 'tabel'; perhaps 'table' is meant."]


def test_a_broken_playbook_of_the_users_is_said(started):
    (started / "playbooks").mkdir()
    (started / "playbooks" / "mine.yaml").write_text("name: mine\n")

    assert any("mine.yaml" in problem for problem in papers.problems(started / "aiops.yaml"))


def measured(folder, metrics="memory: max(m)", source="prom", kind="kind: prometheus\n    url: http://127.0.0.1:9"):
    """Return settings whose model has metrics."""
    text = TEXT.replace("sources:\n", f"sources:\n  prom:\n    {kind}\n", 1)
    text = text.replace("    watches:", f"    metrics:\n      source: {source}\n      {metrics}\n    watches:", 1)
    (folder / "aiops.yaml").write_text(text)
    return load_settings(folder / "aiops.yaml")


def test_a_source_of_metrics_is_in_use_although_no_model_reads_it_as_a_log(started):
    assert not [r for r in data.sources(measured(started)) if "no model reads" in r.words]


def test_metrics_that_no_watch_looks_at_are_a_hint(started):
    remarks = list(metrics.queries(measured(started)))

    assert [(r.state, "resources" in r.words) for r in remarks] == [("hint", True), ("problem", False)]
    assert "could not be reached" in remarks[1].words


def test_metrics_from_a_source_that_has_none_are_a_problem(started):
    remarks = list(metrics.queries(measured(started, source="predictions")))

    assert [(r.state, "is no source of metrics" in r.words) for r in remarks] == [("problem", True)]


def test_a_server_of_metrics_with_a_wrong_option_is_a_problem(started):
    remarks = list(metrics.queries(measured(started, kind="kind: prometheus\n    url: prom:9090")))

    assert [(r.state, "Only http:// and https://" in r.words) for r in remarks] == [("problem", True)]


def test_a_model_without_metrics_is_not_spoken_of(started):
    assert list(metrics.queries(load_settings(started / "aiops.yaml"))) == []


def test_what_is_usual_may_be_forgotten_and_gaps_are_said(started):
    class Server:
        name = "prom"

        def series(self, queries, window):
            whole, gaps = Series(np.ones(50), 50), Series(np.ones(3), 50)
            past = window.end.year == 2026 and window.length.days > 20
            return {name: gaps if past or name == "cpu" else whole for name in queries}

    made = measured(started, "memory: max(m)\n      cpu: c").models_with(registries().checks)["churn@production"]
    told = [(r.state, r.words) for r in metrics.asked(made, made.metrics, Server(), registries().checks)][1:]

    assert [state for state, _ in told] == ["hint", "ok", "hint"]
    assert "its samples cover 6 % of the window only" in told[0][1]
    assert "cannot tell what is usual for churn@production: memory" in told[2][1]


def test_a_playbook_that_no_model_can_use_needs_nobody():
    assert with_a_trainer(trainer=False, allowed=False) == []
    assert with_a_trainer(trainer=True, allowed=False) == ["nobody may approve 'retrain'."]


def test_a_playbook_that_may_be_approved_and_is_never_offered_is_told():
    assert with_a_trainer(trainer=False, allowed=True)[-1] == "'retrain' is never offered: no model has `connectors: {trainer: …}`."
    assert with_a_trainer(trainer=True, allowed=True) == ["'retrain': 1 of 2 people within 4:00:00."]


def test_a_brake_that_somebody_holds_is_said_with_its_reason(tmp_path):
    made = settings(database=f"sqlite:///{tmp_path}/aiops.db")
    assert list(holds.holds(made)) == []
    schema.upgrade(made.database_url)
    assert [remark.words for remark in holds.holds(made)] == ["nobody holds it."]
    with closing(open_store(made.database_url)) as store, store.write() as unit:
        unit.hold(a_hold())
    (remark,) = holds.holds(made)

    assert (remark.state, remark.words) == (
        "hint",
        "the bot is paused by U1 since 2013-07-01 12:00 UTC (the edge is being moved); nothing acts.",
    )


RULE = {"playbook": ["rollback", "rolback"], "roles": ["oncall"], "people": ["U0DEE"]}


def by_rules(*rules):
    made = settings(roles={"oncall": ["U0ANA"]}, approvals=list(rules))
    playbooks = shelf.read().playbooks
    return [remark.words for remark in people.approvals(made, {name: playbooks[name] for name in ("rollback", "retrain")})]


def test_rules_are_looked_at_one_by_one_and_so_is_every_playbook():
    assert by_rules(RULE) == [
        "rule 1 (rolback, rollback): 1 of 2 people within 4:00:00.",
        "nobody may approve 'retrain'.",
        "there is no playbook 'rolback'.",
    ]


def test_how_many_are_in_a_user_group_is_not_guessed():
    assert "1 of 0 people and S0SRE within" in by_rules({"groups": ["S0SRE"]})[0]


def test_the_scope_for_user_groups_is_asked_for_only_where_some_may_approve():
    granted = {"x-oauth-scopes": ", ".join(set(SCOPES) - {"usergroups:read"})}

    assert next(iter(slack.scopes(granted))).state == "ok"
    assert "usergroups:read" in next(iter(slack.scopes(granted, groups=True))).words
