"""The shell: what people read, what programs parse, and how every mistake becomes one sentence."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml

from bot.cli import main, paper
from bot.cli.front import hoisted
from bot.cli.look import causes
from bot.starter import TEXT

QUIET, MOVED = "2026-02-04T00:00:00Z", "2026-02-09T00:00:00Z"


def log(rows: int = 12_000) -> pd.DataFrame:
    """A prediction log in which `age` moves by three standard deviations on 5 February."""
    rng = np.random.default_rng(1)
    time = pd.date_range("2026-01-01", "2026-02-10", periods=rows, tz="UTC")
    score = rng.uniform(0.05, 0.95, rows)
    moved = 3.0 * (time >= pd.Timestamp("2026-02-05", tz="UTC"))
    label = rng.random(rows) < score
    arrived = time + pd.Timedelta("1h")
    features = {"age": rng.normal(size=rows) + moved, "country": rng.choice(["de", "fr"], rows)}
    return pd.DataFrame({"time": time, "version": "v1", "score": score, "label": label, "label_time": arrived, **features})


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AIOPS_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def home(place):
    """A folder with a log and a configuration that watches it."""
    log().to_parquet(place / "log.parquet")
    text = TEXT.replace(
        "kind: sql\n    url: sqlite:///predictions.db\n    table: predictions", "kind: files\n    path: log.parquet"
    )
    text = re.sub(r"checks:\n( {10}- .*\n)+", "checks: [missing, ks]\n", text)
    (place / "aiops.yaml").write_text(text.replace("window: 1h", "window: 1d"))
    return place


@pytest.fixture
def said(capsys):
    """Run a command; return its exit code, stdout and stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(list(words))
        out = capsys.readouterr()
        return code, out.out, out.err

    return run


def test_help_groups_the_commands_for_a_newcomer(said):
    code, out, _ = said("--help")

    assert code == 0
    assert [title for title in ("Start here", "Look", "Act and prove", "Set up") if title in out] == [
        "Start here",
        "Look",
        "Act and prove",
        "Set up",
    ]


@pytest.mark.parametrize(
    "words", [("nonsense",), ("report",), ("check",), ("incident", "x"), ("slack", "manifest", "--transport", "http")]
)
def test_a_mistake_is_one_sentence_on_stderr_and_exit_2(place, said, words):
    code, out, err = said(*words)

    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "Traceback" not in err


def test_a_bug_is_one_sentence_that_names_the_way_to_its_trace(place, said, monkeypatch):
    monkeypatch.setattr("bot.starter.write", lambda *_args, **_options: 1 / 0)

    code, out, err = said("init")

    assert (code, out) == (70, "")
    assert "division by zero" in err
    assert "aiops --trace" in err


def test_the_trace_is_shown_to_who_asks_for_it(place, monkeypatch):
    monkeypatch.setattr("bot.starter.write", lambda *_args, **_options: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        main(["init", "--trace"])


def test_global_options_may_stand_anywhere():
    assert hoisted(["check", "m", "--config", "a.yaml", "--trace"]) == ["--config", "a.yaml", "--trace", "check", "m"]


def test_what_follows_two_dashes_is_left_alone():
    assert hoisted(["check", "--", "--trace"]) == ["check", "--", "--trace"]


def test_init_writes_a_configuration_that_is_valid(place, said):
    said("init")

    assert said("config", "check")[:2] == (0, "aiops.yaml is valid.\n")


def test_init_replaces_nothing_unasked(place, said):
    (place / "aiops.yaml").write_text("mine")

    code, _, err = said("init")

    assert code == 2
    assert "--force" in err
    assert (place / "aiops.yaml").read_text() == "mine"


def test_config_check_lists_every_mistake_with_its_line(place, said):
    (place / "aiops.yaml").write_text(TEXT.replace("window: 7d", "window: seven").replace("quorum: 1", "quorum: 0"))

    code, out, _ = said("config", "check", "--json")

    assert code == 2
    assert [problem.partition(": ")[0][:16] for problem in json.loads(out)["problems"]] == ["aiops.yaml, line"] * 2


def test_an_unknown_kind_is_said_with_those_there_are(place, said):
    (place / "aiops.yaml").write_text(TEXT.replace("kind: sql", "kind: oracle"))

    _, out, _ = said("config", "check")

    assert "'oracle', which does not exist; there are: files, prometheus, sql" in out


def test_the_schema_is_pure_json(said):
    assert json.loads(said("config", "schema")[1])["properties"]["models"]


def test_a_quiet_day_is_healthy(home, said):
    code, out, _ = said("check", "churn", "--at", QUIET, "--json")

    assert code == 0
    assert json.loads(out)["verdict"] == "healthy"


def test_a_moved_day_shows_the_worst_first_and_exits_1(home, said):
    code, out, _ = said("check", "churn", "--at", MOVED)

    assert code == 1
    assert out.splitlines()[2].split()[:4] == ["critical", "KS", "·", "age"]


def test_an_empty_window_is_unknown_and_exits_3(home, said):
    code, out, _ = said("check", "churn", "--at", "2027-01-01T00:00:00Z", "--json")

    assert code in (1, 3)
    assert json.loads(out)["verdict"] != "healthy"


def test_a_lost_log_is_unknown_and_never_healthy(home, said):
    (home / "log.parquet").unlink()

    code, out, _ = said("check", "churn", "--at", QUIET, "--json")

    assert code == 3
    assert "log.parquet" in json.loads(out)["findings"][0]["text"]


def test_a_look_keeps_nothing(home, said):
    said("check", "churn", "--at", MOVED)

    assert json.loads(said("report", "--json")[1])["models"][0]["reason"] == "not looked at yet"


def test_a_recorded_look_is_kept(home, said):
    said("check", "churn", "--at", MOVED, "--record")

    assert json.loads(said("report", "--json")[1])["models"][0]["reason"] != "not looked at yet"


def test_a_time_without_a_zone_is_refused(home, said):
    code, _, err = said("check", "churn", "--at", "2026-02-09 00:00")

    assert code == 2
    assert "no time with a zone" in err


def test_an_unknown_model_is_told_with_the_known_ones(home, said):
    assert "Known: churn@production" in said("check", "nobody")[2]


@pytest.mark.parametrize(
    "words",
    [
        ("incidents",),
        ("report",),
        ("run", "list"),
        ("audit", "list"),
        ("playbooks",),
        ("db", "current"),
        ("version",),
        ("--version",),
        ("doctor", "--offline"),
    ],
    ids=" ".join,
)
def test_json_is_pure(home, said, words):
    _, out, _ = said(*words, "--json")

    assert isinstance(json.loads(out), dict)


@pytest.mark.parametrize("words", [("incident", "7"), ("run", "show", "7"), ("audit", "prove", "7")], ids=" ".join)
def test_what_is_not_there_is_said(home, said, words):
    said("audit", "checkpoint")
    said("incidents")

    code, _, err = said(*words)

    assert code == 2
    assert "7" in err


def test_who_aborts_must_say_who_they_are(home, said):
    assert "--by" in said("run", "abort", "7")[2]


def test_a_sealed_log_verifies(home, said):
    said("db", "upgrade")
    said("audit", "checkpoint")

    code, out, _ = said("audit", "verify", "--json")

    assert (code, json.loads(out)["sound"]) == (0, True)


def test_a_verification_makes_no_key(home, said):
    said("db", "upgrade")

    code, _, _ = said("audit", "verify")

    assert code == 2
    assert not (home / "aiops-audit.key").exists()


def test_a_database_without_tables_does_not_fit(home, said):
    assert said("db", "check")[0] == 1


def test_an_upgraded_database_fits(home, said):
    said("db", "upgrade")

    assert said("db", "check")[0] == 0


def test_the_manifest_asks_for_a_socket_or_an_address(said):
    socket = json.loads(said("slack", "manifest")[1])
    http = json.loads(said("slack", "manifest", "--transport", "http", "--url", "https://bot.example.com/slack/events")[1])

    assert socket["settings"]["socket_mode_enabled"] is True
    assert http["settings"]["interactivity"]["request_url"] == "https://bot.example.com/slack/events"


def test_the_manifest_has_the_commands_of_the_playbooks_beside_the_configuration(place, said):
    folder = place / "playbooks"
    folder.mkdir()
    mine = {
        "name": "tell",
        "title": "Tell them",
        "summary": "Tells.",
        "command": "/tell",
        "offered": {"families": ["performance"]},
        "steps": [{"name": "tell", "action": "notify", "on": "bot", "parameters": {"team": "ml"}}],
    }
    (folder / "tell.yaml").write_text(yaml.safe_dump(mine))
    (folder / "worse.yaml").write_text(yaml.safe_dump({**mine, "name": "worse"}, sort_keys=False))
    code, out, err = said("slack", "manifest")

    assert code == 0
    assert [c["command"] for c in json.loads(out)["features"]["slash_commands"]] == ["/aiops", "/tell"]
    assert "worse.yaml, line 4: '/tell' is the command of the playbook 'tell' already; choose another one." in err


def test_two_files_are_compared_without_any_configuration(place, said):
    rng = np.random.default_rng(2)
    pd.DataFrame({"x": rng.normal(size=5_000), "c": rng.choice(["a", "b"], 5_000)}).to_parquet("before.parquet")
    pd.DataFrame({"x": rng.normal(1.0, 1.0, 5_000), "c": rng.choice(["a", "b"], 5_000)}).to_csv("after.csv", index=False)

    code, out, _ = said("drift", "before.parquet", "after.csv", "--json")
    told = json.loads(out)

    assert code == 1
    assert {finding["feature"] for finding in told["findings"]} == {"x"}
    assert (told["reference"]["rows"], told["current"]["rows"]) == (5_000, 5_000)


def test_a_column_that_is_gone_is_critical(place, said):
    pd.DataFrame({"x": np.arange(500.0), "lost": "a"}).to_parquet("before.parquet")
    pd.DataFrame({"x": np.arange(500.0)}).to_parquet("after.parquet")

    code, out, _ = said("drift", "before.parquet", "after.parquet")

    assert code == 1
    assert out.splitlines()[3].split()[:4] == ["critical", "schema", "·", "lost"]


def test_a_file_does_not_drift_from_itself(place, said):
    pd.DataFrame({"x": np.arange(5_000.0)}).to_parquet("one.parquet")

    assert said("drift", "one.parquet", "one.parquet")[0] == 0


def test_a_missing_file_is_said(place, said):
    code, _, err = said("drift", "gone.parquet", "gone.parquet")

    assert code == 2
    assert "gone.parquet" in err


def test_hostile_text_cannot_steer_the_terminal():
    assert "\x1b" not in paper.clean("\x1b[2Jgone\x07")


def test_markup_in_data_is_only_text(capsys):
    paper.say("[red]model[/red]")

    assert capsys.readouterr().out == "[red]model[/red]\n"


def test_json_has_no_numbers_that_json_does_not_know(capsys):
    paper.dump({"value": float("nan"), "limits": (float("inf"), 1.5)})

    assert json.loads(capsys.readouterr().out) == {"value": None, "limits": [None, 1.5]}


@pytest.mark.parametrize(
    ("evidence", "told"),
    [
        ({}, []),
        (
            {"cause": {"feature": "temp", "team": "w", "text": "PSI 9.4"}},
            ["Most likely cause: temp (fed by w): PSI 9.4"],
        ),
        ({"cause": {"feature": "temp", "team": "", "text": "PSI 9.4"}}, ["Most likely cause: temp: PSI 9.4"]),
        ({"cause": {"feature": "", "team": "", "text": "Nobody knows."}}, ["Nobody knows."]),
        ({"slices": [{"name": "a = b", "n": 1_200, "text": "loss 1"}]}, ["Errs most where a = b: loss 1, 1,200 rows"]),
    ],
)
def test_an_incident_says_what_most_likely_caused_it(evidence, told):
    assert list(causes(evidence)) == told


def test_the_brake_is_pulled_and_released_from_the_shell(home, said):
    text = (home / "aiops.yaml").read_text()
    (home / "aiops.yaml").write_text(text.replace("ml-oncall: []", "ml-oncall: [U024BE7LH]"))
    code, out, _ = said("pause", "the edge is moved", "--by", "U024BE7LH")
    assert (code, out) == (0, "Paused. Nothing acts until a person releases it: aiops resume\n")
    assert said("pause", "--by", "U024BE7LH")[0] == 2
    code, out, _ = said("resume", "--by", "U024BE7LH")

    assert (code, out.startswith("Resumed. It was paused by U024BE7LH since ")) == (0, True)
    assert said("resume")[::2] == (2, "Say who you are: --by with your Slack user id, e.g. --by U024BE7LH.\n")


def test_what_the_bot_may_do_by_itself_is_listed_and_armed_from_the_shell(home, said):
    assert said("auto", "list")[:2] == (0, "Nothing: no policy says `auto:`.\n")
    assert said("auto", "list", "--json")[1].strip() == '{\n  "auto": []\n}'
    assert said("auto", "arm", "churn", "--by", "U024BE7LH")[::2] == (
        2,
        "No policy lets the bot act by itself on churn@production, so there is nothing to arm.\n",
    )
