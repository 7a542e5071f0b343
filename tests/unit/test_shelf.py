import json
from datetime import timedelta

import pytest
import yaml

from bot import shelf
from bot.core.checks import Family
from bot.core.errors import ConfigError
from bot.core.incidents import Severity
from bot.core.playbooks import Parameter

FILE = {
    "name": "shift",
    "title": "Shift",
    "summary": "Moves traffic.",
    "offered": {"families": ["performance"]},
    "parameters": [{"name": "to_version", "kind": "version"}, {"name": "share", "kind": "share", "default": 0.5}],
    "steps": [{"name": "one", "action": "set_traffic", "parameters": {"version": "{{ to_version }}", "share": "{{ share }}"}}],
    "verification": {"checks": "same", "least_rows": 10, "within": "2h"},
}


def written(folder, file="shift.yaml", **changes):
    (folder / file).write_text(yaml.safe_dump({**FILE, **changes}, sort_keys=False))
    return folder / file


def step(text):
    return [{"name": "one", "action": "set_traffic", "parameters": {"it": text}}]


def gated(text):
    return [{"name": "one", "action": "set_traffic", "gate": text}]


def limited(kind, **limits):
    """A file whose second parameter is of this kind and has these limits."""
    return {"parameters": [FILE["parameters"][0], {"name": "share", "kind": kind, **limits}]}


def worked_out(tmp_path, text, **chosen):
    playbook = shelf.load(written(tmp_path, steps=step(text)))
    return shelf.expand(playbook, {"to_version": "v2", **chosen})[0].parameters["it"]


# the packaged rollback


OWN = ("notify", "look_around")
ROLLOUT = ("switch_version",)
CLUSTER = ("restart_deployment", "rollback_deployment", "scale")


def test_the_packaged_playbooks_are_on_the_shelf():
    installed = {"set_traffic", "run_job", "restart_deployment", "scale", "undo_rollout", "set_alias", "set_toggle", *OWN, *ROLLOUT}
    found = shelf.read(actions=installed)
    jobs, traffic, cluster = {"data_quarantine", "restart", "retrain"}, {"restore", "rollback", "traffic_shift"}, set(CLUSTER)
    others = {"promote", "notify_team", "investigate", "feature_toggle", "switch_rollout"}

    assert (found.wrong, set(found.playbooks)) == ((), jobs | traffic | cluster | others)


@pytest.mark.parametrize(
    ("name", "parts"), [("retrain", ["trainer"]), ("rollback", ["serving"]), ("restart", ["operator"]), ("notify_team", ["bot"])]
)
def test_a_playbook_says_which_platforms_it_needs(name, parts):
    assert shelf.read().playbooks[name].parts == parts


@pytest.mark.parametrize(("share", "steps"), [("0.05", [0.05]), ("0.3", [0.1, 0.3]), ("1", [0.1, 0.5, 1.0])])
def test_a_shift_takes_the_steps_on_its_way_and_no_others(share, steps):
    planned = shelf.expand(shelf.read().playbooks["traffic_shift"], {"to_version": "v4", "share": share})

    assert [step.parameters["share"] for step in planned] == steps


def test_what_trains_verifies_nothing_and_has_half_a_day():
    retrain = shelf.read().playbooks["retrain"]

    assert (retrain.verification.checks, retrain.steps[0].patience_s) == ((), 43_200)


def test_a_step_may_fall_away(tmp_path):
    one = {"name": "one", "action": "set_traffic"}
    playbook = shelf.load(written(tmp_path, steps=[{**one, "when": "{{ share < 0.2 }}"}, {**one, "name": "two", "when": "true"}]))

    assert [step.name for step in shelf.expand(playbook, {"to_version": "v2", "share": "0.5"})] == ["two"]


def test_a_condition_over_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="uses 'shore'"):
        shelf.load(written(tmp_path, steps=[{"name": "one", "action": "set_traffic", "when": "{{ shore > 1 }}"}]))


def test_rollback_is_offered_for_a_real_loss_and_nothing_else():
    rollback = shelf.read().playbooks["rollback"]
    offered = {(f, s) for f in Family for s in Severity if rollback.offered_for(f, s)}

    assert offered == {(Family.PERFORMANCE, Severity.SEV1), (Family.PERFORMANCE, Severity.SEV2)}


def test_rollback_moves_traffic_in_three_measured_steps():
    steps = shelf.expand(shelf.read().playbooks["rollback"], {"to_version": "v2"})

    assert [dict(s.parameters) for s in steps] == [{"version": "v2", "share": share} for share in (0.25, 0.5, 1)]
    assert all(s.hold_s > 0 and s.within > 0 for s in steps)


def test_rollback_asks_the_checks_that_opened_the_incident_again():
    assert shelf.read().playbooks["rollback"].verification.checks == ("same",)


# reading


def test_a_file_becomes_a_playbook(tmp_path):
    playbook = shelf.load(written(tmp_path))

    assert playbook.parameters == (Parameter("to_version", "version"), Parameter("share", "share", "0.5"))
    assert (playbook.verification.least_rows, playbook.verification.within_s, playbook.risk) == (10, 7200.0, "medium")
    assert playbook.content == FILE


def test_comments_and_order_do_not_change_a_playbooks_identity(tmp_path):
    one = written(tmp_path, "a.yaml")
    other = tmp_path / "b.yaml"
    other.write_text("# the same\n" + yaml.safe_dump(FILE, sort_keys=True))

    assert shelf.load(one).hash == shelf.load(other).hash


def test_another_content_is_another_playbook(tmp_path):
    assert shelf.load(written(tmp_path)).hash != shelf.load(written(tmp_path, title="Other")).hash


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"steps": []}, "line 13: steps needs at least 1 of them."),
        ({"stepps": 1}, "there is no setting 'stepps'; perhaps 'steps' is meant."),
        ({"offered": {"families": ["weather"]}}, "must be one of 'data_quality', 'operations', 'performance' or 'drift'."),
        ({"steps": [{"name": "one", "action": "reboot"}]}, "there is no action 'reboot'; known: set_traffic."),
        ({"steps": [{"name": "one", "action": "set_traffic", "hold": 5}]}, "with its unit, such as 20s, 5m, 1h30m or 7d."),
        ({"steps": FILE["steps"] * 2}, "the step 'one' stands here twice."),
        ({"parameters": FILE["parameters"][:1] * 2}, "the parameter 'to_version' stands here twice."),
        ({"steps": step("{{ nobody }}")}, "the expression uses 'nobody', which is no parameter of this playbook."),
        ({"steps": step("{{ to_version")}, "this expression cannot be read; write it like {{ name }}."),
        ({"steps": step("x" * 501)}, "this text is longer than 500 characters."),
        ({"steps": step("{{ " + "(" * 200 + "1" + ")" * 200 + " }}")}, "this expression is nested too deep."),
        (
            {"parameters": [{"name": "to_version", "kind": "colour"}]},
            "must be one of 'version', 'feature', 'split', 'team', 'share', 'number' or 'text'.",
        ),
        (limited("version", min=1), "parameters.1 is a version, and only a share or a number can have min or max."),
        (limited("share", choices=["a"]), "parameters.1 is a share, and only a text can have choices."),
        (limited("number", min=2, max=1), "parameters.1 has a min above its max, so that nothing could be chosen."),
        (limited("text", choices=["a", "a"]), "parameters.1 names one of its choices twice."),
        (limited("number", default=9, max=3), "has a default that cannot be chosen: it must be a number, 3 at most."),
        (limited("text", default="c", choices=["a", "b"]), "has a default that cannot be chosen: it must be one of a, b."),
        (
            {"steps": [{**gated("")[0], "retries": {"times": 2, "pause": "11m"}}]},
            "must not pause longer than 10m: nobody should have to wonder what it waits for.",
        ),
        ({"steps": [{**gated("")[0], "back": "twice"}]}, "must be one of 'again'."),
        ({"cooldown": 5}, "cooldown must be a length of time with its unit, such as 20s, 5m, 1h30m or 7d."),
        ({"max_attempts": 0}, "max_attempts must be at least 1."),
        ({"offered": {"families": ["drift"], "tiers": ["gold"]}}, "must be one of 'low', 'standard' or 'critical'."),
        ({"steps": gated("{{ nobody }} first")}, "the expression uses 'nobody', which is no parameter of this playbook."),
        ({"verification": {"within": "1h"}}, "must say on how many rows its checks have to be healthy: least_rows, 1 or more."),
    ],
)
def test_each_mistake_is_one_sentence_with_file_and_line(tmp_path, changes, sentence):
    path = written(tmp_path, **changes)
    with pytest.raises(ConfigError) as wrong:
        shelf.load(path, actions={"set_traffic"})

    assert str(wrong.value).startswith(f"{path}, line ")
    assert str(wrong.value).endswith(sentence)


def test_a_step_may_come_again_on_the_way_back(tmp_path):
    steps = [{**gated("")[0], "name": "one", "back": "again"}, {**gated("")[0], "name": "two"}]

    assert [one.again for one in shelf.load(written(tmp_path, steps=steps)).steps] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "{{ to_version.__class__ }}",
        "{{ to_version['x'] }}",
        "{{ range(9) }}",
        "{{ to_version|upper }}",
        "{{ to_version ~ 'x' * 500000000 }}",
        "{{ 'a' * 500000000 }}",
        "{{ 9 ** 999999999 }}",
        "{{ 5 % 3 }}",
        "{% for x in to_version %}{% endfor %}",
        "{% set x = 1 %}",
        "{% include 'x' %}",
        "{{ [1, 2] }}",
        "{{ {'a': 1} }}",
        "{{ share is defined }}",
    ],
)
def test_an_expression_that_could_call_escape_or_grow_is_refused_when_the_file_is_read(tmp_path, text):
    with pytest.raises(ConfigError, match="this expression does more than it may"):
        shelf.load(written(tmp_path, steps=step(text)))


def test_a_broken_file_takes_only_itself_off_the_shelf(tmp_path):
    written(tmp_path)
    (tmp_path / "bad.yaml").write_text("name: }")
    found = shelf.read(tmp_path)

    assert {"rollback", "shift"} < set(found.playbooks)
    assert len(found.wrong) == 1
    assert "bad.yaml, line 1" in found.wrong[0]


def test_the_users_playbook_takes_the_place_of_the_packaged_one(tmp_path):
    written(tmp_path, "mine.yaml", name="rollback", title="Ours")

    assert shelf.read(tmp_path).playbooks["rollback"].title == "Ours"


def test_the_users_broken_rollback_does_not_bring_the_packaged_one_back(tmp_path):
    (tmp_path / "rollback.yaml").write_text("name: rollback")

    assert "rollback" not in shelf.read(tmp_path).playbooks


def test_two_files_of_one_folder_with_one_name_are_told(tmp_path):
    written(tmp_path, "a.yaml")
    written(tmp_path, "b.yml")
    found = shelf.read(tmp_path)

    assert "shift" in found.playbooks
    assert "b.yml: the playbook 'shift' is defined by another file" in found.wrong[0]


def test_a_wheels_playbooks_are_found_before_those_of_a_checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(shelf.files, "PACKAGED", (tmp_path / "absent", tmp_path))

    assert shelf.packaged() == tmp_path


def test_the_schema_for_editors_is_json():
    assert json.loads(json.dumps(shelf.schema()))["additionalProperties"] is False


# expressions


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ to_version }}", "v2"),
        ("{{ share }}", 0.5),
        ("{{ share / 2 }}", 0.25),
        ("{{ 1 - share }}", 0.5),
        ("{{ -share }}", -0.5),
        ("{{ 0.1 if to_version == 'v2' else 1 }}", 0.1),
        ("{{ share > 0.4 and not share > 0.6 }}", True),
        ("{{ share > 0.6 or to_version != 'v2' }}", False),
        ("to {{ to_version }}!", "to v2!"),
        ("{{ to_version }}{{ share }}", "v20.5"),
        ("{{ 'v' + to_version }}", "vv2"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_an_expression_gives_its_value_in_its_own_type(tmp_path, text, value):
    got = worked_out(tmp_path, text)

    assert (got, type(got)) == (value, type(value))


def test_what_people_choose_is_data_and_never_an_expression(tmp_path):
    assert worked_out(tmp_path, "{{ to_version }}", to_version="{{ 7 * 7 }}") == "{{ 7 * 7 }}"


def test_expressions_inside_a_mapping_are_worked_out(tmp_path):
    playbook = shelf.load(written(tmp_path, steps=step({"{{ share }}": "{{ share }}", "b": 3})))

    assert shelf.expand(playbook, {"to_version": "v2"})[0].parameters["it"] == {"{{ share }}": 0.5, "b": 3}


@pytest.mark.parametrize(
    "text", ["{{ 1 / (share - share) }}", "{{ to_version - 1 }}", "{{ none }}", "{{ 1e308 + 1e308 }}", "{{ 1 if share > 1 }}"]
)
def test_an_expression_without_a_value_is_one_sentence(tmp_path, text):
    with pytest.raises(ConfigError, match=r"^Playbook 'shift', step 'one': an expression cannot be worked out"):
        worked_out(tmp_path, text)


# parameters


def test_a_share_comes_as_the_text_that_a_form_gives(tmp_path):
    assert worked_out(tmp_path, "{{ share }}", share="0.25") == 0.25


@pytest.mark.parametrize("share", ["1.5", "half", "nan", "-1"])
def test_a_share_is_a_number_from_0_to_1(tmp_path, share):
    with pytest.raises(ConfigError, match="'share' must be a number from 0 to 1"):
        worked_out(tmp_path, "{{ share }}", share=share)


@pytest.mark.parametrize("version", ["", None])
def test_what_has_no_default_must_be_chosen(tmp_path, version):
    with pytest.raises(ConfigError, match="'to_version' must be chosen"):
        worked_out(tmp_path, "{{ to_version }}", to_version=version)


def test_a_parameter_that_the_playbook_does_not_have_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="has no parameter 'speed'"):
        worked_out(tmp_path, "x", speed=1)


@pytest.mark.parametrize(
    ("limits", "chosen", "sentence"),
    [
        ({"kind": "number", "min": 1, "max": 9}, "0", "must be a number from 1 to 9"),
        ({"kind": "number", "min": 1}, "0", "must be a number, 1 at least"),
        ({"kind": "number", "max": 9}, "10", "must be a number, 9 at most"),
        ({"kind": "number"}, "many", "must be a number."),
        ({"kind": "number"}, "inf", "must be a number."),
        ({"kind": "share", "max": 0.5}, "0.6", "must be a number from 0 to 0.5"),
        ({"kind": "share", "min": -1, "max": 2}, "1.5", "must be a number from 0 to 1"),
        ({"kind": "text", "choices": ["slow", "fast"]}, "SLOW", "must be one of slow, fast"),
    ],
    ids=["between", "least", "most", "word", "infinite", "share", "never-beyond-a-share", "choices"],
)
def test_what_is_outside_its_limits_is_refused(tmp_path, limits, chosen, sentence):
    playbook = shelf.load(written(tmp_path, **limited(**limits)))
    with pytest.raises(ConfigError, match=f"'share' {sentence}"):
        shelf.expand(playbook, {"to_version": "v2", "share": chosen})


@pytest.mark.parametrize(("chosen", "value"), [("3", 3), ("-2.50", -2.5), ("1e3", 1000)])
def test_a_number_is_whole_where_it_can_be(tmp_path, chosen, value):
    playbook = shelf.load(written(tmp_path, **limited("number")))
    got = shelf.expand(playbook, {"to_version": "v2", "share": chosen})[0].parameters["share"]

    assert (got, type(got)) == (value, type(value))


def test_who_owns_it_when_it_rests_and_whom_it_is_for_are_read(tmp_path):
    offered = {"families": ["performance"], "tiers": ["critical"], "environments": ["production"]}
    playbook = shelf.load(written(tmp_path, owner="ml-platform", cooldown="30m", max_attempts=2, offered=offered))

    assert (playbook.owner, playbook.cooldown, playbook.max_attempts) == ("ml-platform", timedelta(minutes=30), 2)
    models = (("critical", "production"), ("low", "production"), ("critical", "x"))
    assert [playbook.meant_for(*model) for model in models] == [True, False, False]


def test_how_often_a_step_is_tried_and_what_it_waits_for_are_read(tmp_path):
    one = {**gated("Look at {{ to_version }}'s errors.")[0], "gate_timeout": "2h", "retries": {"times": 2}}
    (step,) = shelf.expand(shelf.load(written(tmp_path, steps=[one])), {"to_version": "v2"})

    assert (step.gate, step.gate_s, step.retries, step.pause_s) == ("Look at v2's errors.", 7_200.0, 2, 30.0)


def test_without_those_it_is_for_all_and_as_often_as_people_like(tmp_path):
    playbook = shelf.load(written(tmp_path))

    assert (playbook.cooldown, playbook.max_attempts, playbook.meant_for("low", "staging")) == (timedelta(0), 0, True)


# commands


@pytest.mark.parametrize("command", ["/roll-back", "/r2", "/roll_back"])
def test_a_playbook_may_bring_a_slash_command(tmp_path, command):
    assert shelf.load(written(tmp_path, command=command)).command == command


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("/aiops", "cannot be /aiops: that is the bot's own; choose another one"),
        ("/status", "cannot be /status: that is Slack's own; choose another one"),
        ("rollback", "must look like"),
        ("/Rollback", "must look like"),
        ("/roll back", "must look like"),
        ("/", "must look like"),
        ("/" + "a" * 32, "must not be longer than 32 characters"),
    ],
)
def test_a_command_that_slack_would_not_take_is_refused_with_its_line(tmp_path, command, said):
    with pytest.raises(ConfigError, match=r"shift\.yaml, line \d+: .*command") as why:
        shelf.load(written(tmp_path, command=command))

    assert said in str(why.value)


def test_of_two_playbooks_with_one_command_the_second_stays_off_the_shelf(tmp_path):
    written(tmp_path, command="/shift")
    written(tmp_path, "z.yaml", name="z", command="/shift")
    found = shelf.read(tmp_path)

    assert ("shift" in found.playbooks, "z" in found.playbooks) == (True, False)
    place = f"{tmp_path / 'z.yaml'}, line {line(tmp_path / 'z.yaml', 'command')}"
    assert found.wrong == (f"{place}: '/shift' is the command of the playbook 'shift' already; choose another one.",)


def line(path, name):
    return next(n for n, text in enumerate(path.read_text().splitlines(), 1) if text.startswith(name))


def test_slack_gives_an_app_fifty_commands_and_no_more(tmp_path):
    for number in range(50):
        written(tmp_path, f"p{number:02}.yaml", name=f"p{number:02}", command=f"/p{number:02}")
    found = shelf.read(tmp_path)

    assert len(found.wrong) == 1
    assert "Slack gives an app 49 commands beside /aiops, and all are taken; leave it out." in found.wrong[0]


# locks


@pytest.mark.parametrize(("lock", "kept"), [({}, ""), ({"lock": "model"}, ""), ({"lock": "edge"}, "edge")])
def test_a_lock_is_a_name_and_without_one_there_is_one_run_a_model(tmp_path, lock, kept):
    assert shelf.load(written(tmp_path, **lock)).lock == kept


def test_a_lock_without_a_name_is_refused_with_its_line(tmp_path):
    with pytest.raises(ConfigError, match=r"shift\.yaml, line \d+: .*lock"):
        shelf.load(written(tmp_path, lock=""))


# parallel steps

TWO = [
    {"name": name, "action": "run_job", "on": on, "parameters": {"job": name}}
    for name, on in (("train", "trainer"), ("clean", "janitor"))
]


def parallel(*inner, **outer):
    return {"steps": [{"name": "both", "parallel": list(inner or TWO), **outer}, *FILE["steps"]]}


def test_a_parallel_step_holds_steps_that_begin_together_and_share_its_gate(tmp_path):
    steps = shelf.load(written(tmp_path, **parallel(gate="Look at {{ to_version }}."))).steps

    assert [(s.name, s.together, s.gate, s.gate_s) for s in steps] == [
        ("train", "both", "Look at {{ to_version }}.", 14_400.0),
        ("clean", "both", "Look at {{ to_version }}.", 14_400.0),
        ("one", "", "", 0.0),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (parallel(action="run_job"), "holds parallel steps, so 'action' belongs into those; it takes a gate at most"),
        (parallel(retries={"times": 1}), "holds parallel steps, so 'retries' belongs into those"),
        (parallel(TWO[0]), "needs at least 2 of them"),
        (parallel(*TWO * 6), "must not have more than 10 of them"),
        (parallel(TWO[0], TWO[0]), "the step 'train' stands here twice"),
        (parallel(TWO[0], {**TWO[1], "name": "one"}), "the step 'one' stands here twice"),
        (parallel(TWO[0], {**TWO[1], "name": "both"}), "the step 'both' stands here twice"),
        (parallel(TWO[0], {"name": "clean"}), "'action' is missing in steps.0.parallel.1"),
        (parallel(TWO[0], {**TWO[1], "gate": "Look."}), "there is no setting 'gate' in steps.0.parallel.1."),
        (parallel(TWO[0], {**TWO[1], "parallel": TWO}), "there is no setting 'parallel' in steps.0.parallel.1."),
        (parallel(TWO[0], {**TWO[1], "when": "{{ nobody }}"}), "the expression uses 'nobody', which is no parameter"),
        (parallel(gate="{{ nobody }}"), "the expression uses 'nobody', which is no parameter"),
        (parallel(TWO[0], {**TWO[1], "action": "dance"}), "there is no action 'dance'"),
        ({"steps": [{"name": "one"}]}, "needs an action, or parallel steps that have one each"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_a_parallel_step_that_cannot_be_meant_is_refused_with_its_line(tmp_path, changes, said):
    with pytest.raises(ConfigError, match=r"shift\.yaml, line \d+: ") as why:
        shelf.load(written(tmp_path, **changes), actions=["run_job", "set_traffic"])

    assert said in str(why.value)


def test_a_step_of_a_parallel_one_may_be_left_out(tmp_path):
    inner = (TWO[0], {**TWO[1], "when": "{{ share > 0.5 }}"})
    playbook = shelf.load(written(tmp_path, **parallel(*inner)))

    assert [s.name for s in shelf.expand(playbook, {"to_version": "v2"})] == ["train", "one"]
