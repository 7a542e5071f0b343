"""`aiops.yaml`: names meet, secrets are named and never written, every mistake is one sentence with its line."""

from datetime import timedelta

import pytest

from bot.app import registries
from bot.config import Phonebook, Settings, load_settings, resolved, shortest_step
from bot.core.errors import ConfigError
from bot.core.lines import FalseAlarms, Learn
from bot.core.metrics import UNITS
from bot.core.models import PAGE, RECORD, Recovery
from bot.core.seasons import Season
from bot.starter import TEXT


@pytest.fixture
def write(tmp_path):
    """Write a configuration and load it."""

    def written(text: str) -> Settings:
        path = tmp_path / "aiops.yaml"
        path.write_text(text, encoding="utf-8")
        return load_settings(path)

    return written


def test_what_init_writes_is_valid_down_to_the_checks(write):
    models = write(TEXT).models_with(registries().checks)

    assert list(models) == ["churn@production"]


def test_a_missing_file_is_told_with_the_way_out(tmp_path):
    with pytest.raises(ConfigError, match="aiops init"):
        load_settings(tmp_path / "aiops.yaml")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("source: predictions", "source: lost", "uses 'lost', which is not under sources"),
        ("team: ml-platform", "team: nobody", "uses 'nobody', which is not under teams"),
        ("# serving: gateway", "serving: gateway", "uses 'gateway', which is not under platforms"),
        ("# scorer: versions", "scorer: versions", "uses 'versions', which is not under scorers"),
        ("roles: [ml-oncall]", "roles: [owners]", "name the role 'owners', which is not under roles"),
        ("persist: {k: 2, n: 3}", "persist: {k: 4, n: 3}", "more bad windows than it looks at"),
        ('every: "0 * * * *"', 'every: "hourly"', "is no cron text"),
        ("window: 7d", "window: 7", "length of time with its unit"),
        ("transport: socket ", "transprot: socket ", "perhaps 'transport' is meant"),
        ("quorum: 1", "quorum: one", "must be a whole number"),
    ],
)
def test_a_mistake_is_told_in_words(write, old, new, told):
    assert old in TEXT

    with pytest.raises(ConfigError, match=told) as refused:
        write(TEXT.replace(old, new))

    assert "\n" not in str(refused.value)


def test_a_mistake_has_its_line(write):
    broken = TEXT.replace("quorum: 1", "quorum: 0")
    line = next(number for number, text in enumerate(broken.splitlines(), 1) if "quorum" in text)

    with pytest.raises(ConfigError) as refused:
        write(broken)

    assert f"aiops.yaml, line {line}: " in str(refused.value)


def test_the_same_model_twice_is_refused(write):
    model = TEXT[TEXT.index("  - name: churn") :]

    with pytest.raises(ConfigError, match="'churn@production' is defined twice"):
        write(TEXT + model)


def test_an_unknown_check_is_told_with_those_there_are(write):
    with pytest.raises(ConfigError, match="'magic', which does not exist"):
        write(TEXT.replace("checks: [performance]", "checks: [magic]")).models_with(registries().checks)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("database: sqlite:///aiops.db", "database: postgresql://aiops:hunter2@db/aiops"),
        ("url: sqlite:///predictions.db", "url: postgresql://reader:hunter2@db/log"),
        ("    table: predictions", "    table: predictions\n    api_key: hunter2"),
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(write, old, new):
    with pytest.raises(ConfigError) as refused:
        write(TEXT.replace(old, new))

    assert "name it instead" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_named_secret_is_looked_up_when_it_is_needed(write, monkeypatch):
    made = write(TEXT.replace("database: sqlite:///aiops.db", 'database: "${env:AIOPS_TEST_DATABASE}"'))
    monkeypatch.setenv("AIOPS_TEST_DATABASE", "postgresql://aiops@db/aiops")

    assert made.database_url == "postgresql://aiops@db/aiops"


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("AIOPS_TEST_LOST", raising=False)

    with pytest.raises(ConfigError, match="database needs the environment variable AIOPS_TEST_LOST"):
        resolved("${env:AIOPS_TEST_LOST}", "database")


def test_a_mounted_secret_is_read_without_its_line_end(tmp_path):
    (tmp_path / "password").write_text("s3cret\n")

    assert resolved({"password": f"${{file:{tmp_path}/password}}"}, "log") == {"password": "s3cret"}


def test_a_mounted_secret_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="password, which cannot be read"):
        resolved([f"${{file:{tmp_path}/password}}"], "log")


def test_an_empty_policy_names_nobody(write):
    policy = write(TEXT.replace("roles: [ml-oncall]", "roles: []")).policies()["rollback"]

    assert policy.roles == frozenset()


def test_a_policy_is_what_the_file_says(write):
    policy = write(TEXT).policies()["rollback"]

    assert (policy.roles, policy.quorum, policy.self_approval, policy.expires) == (
        frozenset({"ml-oncall"}),
        1,
        False,
        timedelta(hours=4),
    )


def test_thresholds_of_ones_own_keep_the_rest_of_the_checks(write):
    made = write(TEXT.replace("    features:", "    thresholds: {ks: {critical: 0.9}}\n    features:"))
    checks = registries().checks

    line = made.models_with(checks)["churn@production"].thresholds["ks"]

    assert (line.critical, line.warning) == (0.9, checks["ks"].threshold.warning)


def model_with(write, text):
    """Return the model of the starter file with something more said about it."""
    checks = registries().checks
    return write(TEXT.replace("    features:", f"{text}\n    features:")).models_with(checks)["churn@production"], checks


def test_a_line_may_be_learned_and_stands_alone_unless_a_critical_line_is_given(write):
    model, _ = model_with(
        write, "    thresholds: {ks: {learn: {from: deviations, k: 4}}, psi: {critical: 0.2, learn: {from: quantiles}}}"
    )

    assert model.learned == {"ks": Learn("deviations", 4.0), "psi": Learn("quantiles", sole=False)}
    assert model.thresholds.keys() == {"psi"}


def test_a_target_rate_of_false_alarms_and_a_mode_are_what_the_file_says(write):
    model, _ = model_with(write, "    false_alarms: {at_most: 2, per: 7d}\n    mode: record")

    assert (model.false_alarms, model.mode) == (FalseAlarms(2.0, timedelta(days=7)), RECORD)


def test_without_a_word_nothing_is_measured_and_people_are_woken(write):
    model, _ = model_with(write, "    tier: standard")

    assert (model.false_alarms, model.learned, model.mode) == (None, {}, PAGE)


def test_recovery_and_a_floor_of_rows_belong_to_a_watch(write):
    text = TEXT.replace("        checks:", "        recover: {windows: 4, under: 0.8}\n        least_rows: 500\n        checks:")
    watch = write(text).models_with(registries().checks)["churn@production"].watches[0]

    assert (watch.recovery, watch.least_rows) == (Recovery(4, 0.8), 500)


@pytest.mark.parametrize(
    ("cadence", "step"),
    [("*/5 * * * *", timedelta(minutes=5)), ("0 6,9 * * 1-5 Europe/Berlin", timedelta(hours=3)), ("0 0 1 * *", timedelta(days=28))],
    ids=["every five minutes", "twice on weekdays", "monthly"],
)
def test_the_step_is_the_shortest_time_between_two_looks(cadence, step):
    assert shortest_step(cadence) == step


@pytest.mark.parametrize(
    "text",
    [
        "    false_alarms: {at_most: 0}",
        "    mode: shadow",
        "    thresholds: {ks: {learn: {from: guesses}}}",
        "    thresholds: {ks: {learn: {from: quantiles, upper: 1.0}}}",
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_refused(write, text):
    with pytest.raises(ConfigError):
        model_with(write, text)


def test_a_feature_belongs_to_the_models_team_unless_it_says_so(write):
    model = write(TEXT).models_with(registries().checks)["churn@production"]

    assert [feature.team for feature in model.features] == ["ml-platform", "data-engineering"]


def people() -> Phonebook:
    teams = {"grouped": {"group": "S1", "channel": "their-own"}, "listed": {"members": ["U1", "U2"]}, "bare": {}}
    return Phonebook(
        Settings.model_validate(
            {
                "teams": {n: t | ({"members": tuple(t["members"])} if "members" in t else {}) for n, t in teams.items()},
                "roles": {"oncall": ("U3",)},
            }
        )
    )


@pytest.mark.parametrize(
    ("team", "mention"),
    [("grouped", "<!subteam^S1>"), ("listed", "<@U1> <@U2>"), ("oncall", "<@U3>"), ("bare", "bare"), ("unknown", "unknown")],
)
def test_a_team_is_mentioned_by_group_people_or_name(team, mention):
    assert people().mention(team) == mention


def test_an_incident_goes_to_the_teams_channel_or_the_common_one():
    assert (people().channel("grouped"), people().channel("bare")) == ("their-own", "ml-incidents")


def test_a_person_has_the_roles_that_the_file_gives_them():
    assert people().principal("U3").roles == {"oncall"}
    assert people().principal("U1").roles == frozenset()


def test_segments_are_features_of_categories(write):
    model = write(TEXT.replace("    # serving: gateway\n", "    segments: [country]\n")).models_with(registries().checks)[
        "churn@production"
    ]

    assert (model.segments, model.segments_page) == (("country",), False)


@pytest.mark.parametrize("segment", ["age", "not_there"])
def test_a_segment_that_is_none_is_named(write, segment):
    with pytest.raises(ConfigError, match=f"segment '{segment}' of model 'churn' must be one of its features"):
        write(TEXT.replace("    # serving: gateway\n", f"    segments: [{segment}]\n"))


@pytest.mark.parametrize(
    ("lines", "primary"),
    [("", "calibration_gap"), ("    task: regression\n", "mae_ratio"), ("    task: regression\n    primary: rmse\n", "rmse")],
)
def test_each_task_has_a_primary_metric_unless_one_is_named(write, lines, primary):
    model = write(TEXT.replace("    source: predictions\n", f"    source: predictions\n{lines}", 1)).models_with(
        registries().checks
    )

    assert model["churn@production"].primary == primary


def tasked(lines: str, group: str = "") -> str:
    """Return the starter's file with these lines for its model, and a column of groups where one is given."""
    text = TEXT.replace("      score: score\n", f"      score: score\n{group and f'      group: {group}'}\n", 1)
    return text.replace("    source: predictions\n", f"    source: predictions\n{lines}", 1)


@pytest.mark.parametrize(
    ("lines", "top", "primary"), [("", 10, "ndcg_lost"), ("    top: 3\n    primary: map\n", 3, "map")], ids=["usual", "own"]
)
def test_a_ranking_names_its_groups_and_how_many_items_count(write, lines, top, primary):
    text = tasked(f"    task: ranking\n{lines}", group="query_id")
    model = write(text).models_with(registries().checks)["churn@production"]

    assert (model.task, model.columns.group, model.top, model.primary) == ("ranking", "query_id", top, primary)


@pytest.mark.parametrize(
    ("lines", "group", "told"),
    [
        ("    task: ranking\n", "", "ranks, so its `columns` must name a `group`"),
        ("", "query_id", "has `columns.group`, which only a `task: ranking` has"),
        ("    task: regression\n    top: 5\n", "", "has `top`, which only a `task: ranking` has"),
        ("    task: ranking\n    top: 0\n", "query_id", "top"),
    ],
    ids=["no group", "group of another task", "top of another task", "none count"],
)
def test_half_a_ranking_is_refused(write, lines, group, told):
    with pytest.raises(ConfigError, match=told):
        write(tasked(lines, group))


def seasonal(season, **changes):
    """Return the starter's file with a season for its inputs, in Berlin."""
    given = {"every": "*/15 * * * * Europe/Berlin", "window": "1h", "end": "2026-02-01"} | changes
    text = TEXT.replace("# season: week ", f"season: {season} ").replace("window: 1h", f"window: {given['window']}")
    return text.replace("*/15 * * * *", given["every"]).replace("2026-02-01", given["end"])


def test_a_season_has_the_clock_of_its_watch(write):
    berlin, utc = (
        write(seasonal("week", every=every)).models_with(registries().checks)["churn@production"].watches[0].season
        for every in ("*/15 * * * * Europe/Berlin", "*/15 * * * *")
    )

    assert (berlin, utc) == (Season("week", "Europe/Berlin"), Season("week", "UTC"))


@pytest.mark.parametrize("season", ["day", "week"])
def test_a_window_that_holds_every_hour_has_no_season(write, season):
    with pytest.raises(ConfigError, match=f"`season: {season}`, but its window holds every hour of a {season}"):
        write(seasonal(season, window={"day": "24h", "week": "7d"}[season]))


def test_a_reference_in_which_every_hour_has_not_come_twice_is_refused(write):
    with pytest.raises(ConfigError, match="its reference is only 13 d long; it must be two weeks or more"):
        write(seasonal("week", end="2026-01-14")).models_with(registries().checks)


PROMETHEUS = "sources:\n  prom:\n    kind: prometheus\n    url: http://prom:9090\n"
METRICS = """\
    metrics:
      source: prom
      memory: max(m)
      throughput: sum(t)
      limits: {memory: 8GiB, throughput: 5}
"""


def with_metrics(text=METRICS, sources=PROMETHEUS):
    return TEXT.replace("sources:\n", sources, 1).replace("    watches:", text + "    watches:", 1)


def test_metrics_are_queries_and_limits_by_name(write):
    model = write(with_metrics()).models_with(registries().checks)["churn@production"]

    assert model.metrics is not None
    assert (model.metrics.source, model.metrics.queries) == ("prom", {"memory": "max(m)", "throughput": "sum(t)"})
    assert (model.metrics.limits, model.metrics.reference) == ({"memory": 8 * 1_024**3, "throughput": 5}, None)


def test_metrics_may_have_a_reference_of_their_own(write):
    own = METRICS + '      reference: {start: "2026-03-01T00:00:00Z", end: "2026-03-08T00:00:00Z"}\n'
    model = write(with_metrics(own)).models_with(registries().checks)["churn@production"]

    assert model.metrics is not None
    assert model.metrics.reference is not None
    assert model.metrics.reference.length == timedelta(days=7)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("source: prom", "source: lost", "uses 'lost', which is not under sources"),
        ("memory: max(m)", "memroy: max(m)", "perhaps 'memory' is meant"),
        ("memory: max(m)\n      throughput: sum(t)\n", 'memory: " "\n', "names no query"),
        ("throughput: sum(t)\n", "cpu: c\n", "limits throughput, but has no query for it"),
        ("8GiB", "8 elephants", "8GiB or 512MB"),
        ("8GiB", "-1", "must be greater than 0"),
        ("8GiB", "true", "8GiB or 512MB"),
        ("8GiB", ".inf", "number"),
        ("memory: max(m)", "memory: 7", "must be text"),
        (
            "source: prom",
            'source: prom\n      reference: {start: "2026-03-01T00:00:00", end: "2026-03-08T00:00:00"}',
            "with its zone",
        ),
        (
            "source: prom",
            'source: prom\n      reference: {start: "2026-03-08T00:00:00Z", end: "2026-03-01T00:00:00Z"}',
            "before it ends",
        ),
    ],
)
def test_a_mistake_among_the_metrics_is_told_in_words(write, old, new, told):
    assert old in METRICS

    with pytest.raises(ConfigError, match=told) as refused:
        write(with_metrics(METRICS.replace(old, new)))

    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "option",
    ["token: hunter2", "headers: {Authorization: Bearer hunter2}", "headers: {X-Api-Key: hunter2}", "headers: {Cookie: a=hunter2}"],
)
def test_a_literal_secret_inside_a_mapping_is_refused_too(write, option):
    with pytest.raises(ConfigError, match="name it instead") as refused:
        write(with_metrics(sources=f"{PROMETHEUS}    {option}\n"))

    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("option", ["token: ${env:T}", 'headers: {Authorization: "Basic ${file:/run/t}", X-Scope-OrgID: ml}'])
def test_a_named_secret_inside_a_mapping_is_well(write, option):
    assert write(with_metrics(sources=f"{PROMETHEUS}    {option}\n")).sources["prom"].kind == "prometheus"


def test_the_schema_offers_every_metric():
    schema = Settings.model_json_schema()

    assert set(UNITS) <= set(schema["$defs"]["MetricsPart"]["properties"])
    assert set(UNITS) == set(schema["$defs"]["LimitsPart"]["properties"])


def test_the_brakes_roles_must_exist(write):
    with pytest.raises(ConfigError, match="brake names the role 'nobody', which is not under roles"):
        write(TEXT + "\nbrake: {roles: [nobody]}\n")
