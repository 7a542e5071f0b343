"""`aiops playbook`: what is wrong or unwise in a file, what it does, and every call that it would make, without any server."""

import json
from pathlib import Path

import pytest

from bot.cli import main
from bot.starter import TEXT

MINE = """\
name: mine
title: Mine
summary: Shifts, then cleans.
offered: {families: [performance]}
parameters:
  - {name: to_version, kind: version}
  - {name: unused, kind: text, default: x}
steps:
  - {name: shift, action: set_traffic, parameters: {version: "{{ to_version }}", share: 0.5}, hold: 5s, within: 0.1}
  - {name: clean, "on": janitor, action: run_job, parameters: {job: clean, depth: "3"}}
"""
JOBS = """
platforms:
  nightly: {kind: command, state: jobs, jobs: {clean: {run: [echo, "{depth}"], folder: ., timeout: 1m}}}
  edge: {kind: envoy, admin: "http://127.0.0.1:9", targets: {MODEL: {
    blue: {runtime_key: a, cluster: a}, green: {runtime_key: b, cluster: b}}}}
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A working folder with a playbook of one's own, and nothing else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIOPS_CONFIG", raising=False)
    (tmp_path / "mine.yaml").write_text(MINE)
    return tmp_path


@pytest.fixture
def said(capsys, place):
    """Run a command; return its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["playbook", *words])
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def rehearsed(said, *words, code=0):
    ended, out, _ = said("test", *words, "--json")
    assert ended == code
    return json.loads(out)


def calls(seen):
    return [(call["step"], call["words"]) for call in seen["calls"] if not call["words"].startswith(("ask", "count"))]


def test_every_playbook_that_comes_with_the_bot_is_well_and_comes_to_its_end(said):
    code, out, _ = said("lint", "--json")
    listed = json.loads(out)["playbooks"]

    assert code == 0
    assert [(one["wrong"], one["unwise"]) for one in listed] == [("", [])] * len(listed)
    for one in listed:
        assert rehearsed(said, one["file"])["state"] == "succeeded"


def test_a_step_that_comes_again_on_the_way_back_says_so(said):
    assert "once more on the way back, where that is needed" in said("show", "promote")[1]


def test_what_is_unwise_is_said_and_is_no_error(said):
    code, out, _ = said("lint", "mine.yaml")

    assert code == 0
    assert "it moves traffic and verifies nothing" in out
    assert "people are asked for 'unused', but no step uses it" in out


def test_what_is_wrong_is_said_with_its_line_and_fails(said, place):
    (place / "mine.yaml").write_text(MINE.replace("set_traffic", "set_trafic"))
    code, out, _ = said("lint", "mine.yaml")

    assert code == 1
    assert "mine.yaml, line 9: there is no action 'set_trafic'" in out


def test_a_step_without_a_hold_is_unwise(said, place):
    (place / "mine.yaml").write_text(MINE.replace("hold: 5s, ", ""))

    assert "step 'shift' has no `hold`" in said("lint", "mine.yaml")[1]


def test_a_flag_that_is_switched_without_a_look_is_unwise(said, place):
    (place / "mine.yaml").write_text("""\
name: mine
title: Mine
summary: Switches.
offered: {families: [performance]}
steps:
  - {name: switch, "on": flags, action: set_toggle, parameters: {to: on}}
""")
    out = said("lint", "mine.yaml")[1]

    assert "it switches a flag and verifies nothing" in out
    assert "step 'switch' has no `hold`, so nobody looks whether applications follow" in out
    assert calls(rehearsed(said, "mine.yaml")) == [("switch/apply", "switch example's flag on")]


@pytest.mark.parametrize(("to", "back"), [("off", "on"), ("on", "off")])
def test_a_flag_is_rehearsed_either_way_and_back(said, to, back):
    seen = rehearsed(said, "feature_toggle", "--set", f"to={to}", "--fail", "switch")

    assert calls(seen) == [("switch/apply", f"switch example's flag {to}"), ("switch/undo", f"switch example's flag {back}")]


def test_the_calls_come_in_order_each_effect_with_its_key(said):
    seen = rehearsed(said, "mine.yaml")

    assert calls(seen) == [
        ("shift/apply", "serve example as v3 50 % · v2 50 %"),
        ("clean/apply", "start clean with model = example, depth = 3"),
    ]
    assert [call["key"] for call in seen["calls"] if call["step"].endswith("/apply")] == [
        "run_playbook:RUN:shift",
        "run_playbook:RUN:clean",
    ]
    assert seen["chosen"] == {"to_version": "v2", "unused": "x"}


def test_where_a_step_fails_the_way_back_is_shown(said):
    seen = rehearsed(said, "mine.yaml", "--fail", "clean")

    assert seen["state"] == "compensated"
    assert calls(seen)[2:] == [("clean/undo", "stop clean"), ("shift/undo", "serve example as v3 100 %")]


def test_a_platform_that_comes_to_it_by_and_by_is_waited_for_and_nothing_is_called_measured(said):
    seen = rehearsed(said, "switch_rollout", "--split", "a=0.8", "--split", "b=0.2", "--set", "to_version=a")

    assert calls(seen) == [("switch/apply", "serve example as a 100 %")]
    assert "it counts no requests, so nothing was measured" in seen["outcome"]
    assert "switch/measure/1" in {call["step"] for call in seen["calls"]}


def test_what_is_served_at_first_and_what_is_chosen_can_be_said(said):
    seen = rehearsed(said, "mine.yaml", "--split", "a=0.8", "--split", "b=0.2", "--set", "to_version=b")

    assert calls(seen)[0] == ("shift/apply", "serve example as b 50 % · a 50 %")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("mine.yaml", "--fail", "sweep"), "'mine' has no step 'sweep'; its steps: shift, clean."),
        (
            ("mine.yaml", "--set", "to_version=v9"),
            "'v9' is not a version of example that traffic could go to; choose one of v2, v1.",
        ),
        (("mine.yaml", "--set", "to_version"), "--set takes name=value, not 'to_version'."),
        (("mine.yaml", "--split", "a=0.8"), "--split needs a share from 0 to 1 for each version, and they add up to 1"),
        (("mine.yaml", "--split", "a=much"), "--split needs a share from 0 to 1 for each version, and they add up to 1"),
        (("mine.yaml", "--model", "churn"), "There is no aiops.yaml that could know 'churn'"),
        (("nobodys",), "There is no playbook 'nobodys' on the shelf; there are: data_quarantine,"),
        (("gone.yaml",), "gone.yaml"),
    ],
    ids=["step", "version", "set", "sum", "share", "model", "name", "file"],
)
def test_what_cannot_be_rehearsed_is_one_sentence(said, words, sentence):
    code, _, err = said("test", *words)

    assert code == 2
    assert sentence in err
    assert err.count("\n") == 1


@pytest.fixture
def configured(place):
    """An aiops.yaml whose model has a splitter and a janitor."""
    model = "churn"
    text = TEXT.replace("\nplatforms: {}\n", JOBS.replace("MODEL", model))
    parts = f"  - name: {model}\n    serving: edge\n    connectors: {{janitor: nightly}}\n"
    (place / "aiops.yaml").write_text(text.replace(f"  - name: {model}\n", parts))
    return model


def test_a_model_of_ones_own_is_played_with_its_own_versions_and_its_jobs_orders_are_checked(said, configured, place):
    seen = rehearsed(said, "mine.yaml", "--model", configured)

    assert calls(seen)[0] == ("shift/apply", f"serve {configured} as green 50 % · blue 50 %")
    assert "echo 3" in calls(seen)[1][1]

    (place / "mine.yaml").write_text(MINE.replace("job: clean", "job: sweep"))
    code, _, err = said("test", "mine.yaml", "--model", configured)
    assert (code, "sweep" in err) == (2, True)


def test_with_a_configuration_it_is_said_who_may_approve_and_who_lacks_a_part(said, configured, place):
    told = said("lint", "mine.yaml")[1]
    assert "nobody may approve it, so it is never offered; name roles under `approvals: mine:`" in told

    (place / "mine.yaml").write_text(MINE.replace("janitor", "sweeper"))
    assert "no model names what plays its sweeper" in said("lint", "mine.yaml")[1]
    code, _, err = said("test", "mine.yaml", "--model", configured)
    assert (code, "names nothing that plays its sweeper" in err) == (2, True)
    code, _, err = said("test", "mine.yaml", "--model", "nobody")
    assert (code, "is not one model of aiops.yaml; its models:" in err) == (2, True)


def test_a_playbook_is_shown_as_a_person_would_say_it(said, configured):
    out = said("show", "rollback")[1]

    assert "the checks that opened the incident healthy on 5,000 fresh rows, within 14 d" in out
    assert "approved by" in out
    assert "first quarter" in out
    assert json.loads(said("show", "mine.yaml", "--json")[1])["verifies"].startswith("nothing: when it is done")


def test_an_editor_gets_a_schema(said):
    assert json.loads(said("schema")[1])["properties"]["steps"]["type"] == "array"


def test_limits_rests_and_owners_are_shown(said, place):
    more = "owner: ml-platform\ncooldown: 30m\nmax_attempts: 2\n"
    numbers = "\n  - {name: deep, kind: number, min: 1, max: 9, default: 3}\n  - {name: how, kind: text, choices: [slow, fast]}"
    text = MINE.replace("offered: {families: [performance]", f"{more}offered: {{families: [performance], tiers: [critical]")
    (place / "mine.yaml").write_text(text.replace("\n  - {name: unused, kind: text, default: x}", numbers))
    out = said("show", "mine.yaml")[1]

    for words in ("ml-platform", "30 min after each run on a model; tried 2 × at most on one incident", "tier critical"):
        assert words in out
    assert "number, 1 to 9" in out
    assert "text: slow, fast" in out
    assert rehearsed(said, "mine.yaml", "--set", "how=slow")["chosen"] == {"to_version": "v2", "deep": "3", "how": "slow"}
    assert "'how' must be one of slow, fast" in said("test", "mine.yaml", "--set", "how=SLOW")[2]


def test_a_tier_that_no_model_has_is_unwise(said, configured, place):
    (place / "mine.yaml").write_text(MINE.replace("[performance]", "[performance], tiers: [low]"))

    assert "no model is of its tiers and environments, so it is never offered" in said("lint", "mine.yaml")[1]


GATED = '{name: clean, gate: "Is {{ to_version }} well?", gate_timeout: 2h, retries: {times: 2},'


def test_a_rehearsed_run_is_continued_at_its_gate_and_the_press_is_among_the_calls(said, place):
    (place / "mine.yaml").write_text(MINE.replace("{name: clean,", GATED))
    seen = rehearsed(said, "mine.yaml")

    assert calls(seen)[1:] == [
        ("clean/gate", "look, then press Continue: Is v2 well?"),
        ("clean/apply", "start clean with model = example, depth = 3"),
    ]
    shown = said("show", "mine.yaml")[1]
    assert "when a person continues it within 2 h: Is {{ to_version }} well?; tried 3 times at most" in shown


def test_a_gate_before_the_first_step_is_unwise(said, place):
    (place / "mine.yaml").write_text(MINE.replace("{name: shift,", "{name: shift, gate: Look.,"))

    assert "step 'shift' is the first and has a gate" in said("lint", "mine.yaml")[1]


def test_a_parameter_that_only_a_gate_names_is_used(said, place):
    (place / "mine.yaml").write_text(MINE.replace("{name: clean,", '{name: clean, gate: "{{ unused }}?",'))

    assert "'unused'" not in said("lint", "mine.yaml")[1]


def test_the_playbook_on_its_page_is_one_that_comes_to_its_end(said, place):
    page = (Path(__file__).parents[2] / "playbooks" / "README.md").read_text(encoding="utf-8")
    text = next(block for block in page.split("```") if "name: careful_shift" in block)
    (place / "careful.yaml").write_text(text.removeprefix("yaml\n"))

    assert json.loads(said("lint", "careful.yaml", "--json")[1])["playbooks"][0]["unwise"] == []
    assert rehearsed(said, "careful.yaml")["state"] == "succeeded"


def test_lint_and_show_know_a_playbooks_own_command(place, said):
    (place / "mine.yaml").write_text(MINE + "command: /mine\n")
    (place / "other.yaml").write_text(MINE.replace("name: mine", "name: other") + "command: /mine\n")
    code, out, _ = said("lint", "mine.yaml", "other.yaml")

    assert code == 1
    assert "other.yaml, line 11: '/mine' is the command of the playbook 'mine' already; choose another one." in out
    assert "/mine" in said("show", "mine.yaml")[1]


BOTH = """\
  - name: at once
    parallel:
      - {name: clean, "on": janitor, action: run_job, parameters: {job: clean}}
      - {name: sweep, "on": janitor, action: run_job, parameters: {job: sweep}}
"""


def parallel():
    return MINE.partition("  - {name: clean")[0] + BOTH


def test_parallel_steps_are_shown_and_rehearsed_as_what_they_are(place, said):
    (place / "mine.yaml").write_text(parallel())
    words = [step for step, _ in calls(rehearsed(said, "mine.yaml"))]

    assert "together with the others of 'at once'" in said("show", "mine.yaml")[1]
    assert words[-2:] == ["clean/apply", "sweep/apply"]
    assert "3. sweep: at the same time: janitor: sweep" in said("test", "mine.yaml")[1]


def test_a_parallel_step_that_fails_lets_the_other_end_before_all_goes_back(place, said):
    (place / "mine.yaml").write_text(parallel())
    seen = rehearsed(said, "mine.yaml", "--fail", "clean")
    steps = [call["step"] for call in seen["calls"]]

    assert seen["state"] == "compensated"
    assert steps.index("sweep/measure/1") < steps.index("sweep/undo") < steps.index("clean/undo") < steps.index("shift/undo")


def test_parallel_steps_that_change_one_thing_are_unwise_and_never_accepted(place, said):
    shift = '{name: NAME, action: set_traffic, parameters: {version: "{{ to_version }}", share: SHARE}, hold: 5s, within: 0.1}'
    both = "".join(
        f"      - {shift.replace('NAME', name).replace('SHARE', share)}\n" for name, share in (("a", "0.1"), ("b", "0.9"))
    )
    (place / "mine.yaml").write_text(MINE.partition("  - {name: shift")[0] + "  - name: at once\n    parallel:\n" + both)

    assert "steps 'a' and 'b' are parallel and both change what plays serving" in said("lint", "mine.yaml")[1]
    assert "both change what plays 'serving' for example; let one follow the other." in said("test", "mine.yaml")[2]
