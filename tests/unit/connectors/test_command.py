"""Commands as jobs: real processes, started once, found again, stopped with everything that they have started."""

import contextlib
import json
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import bot.connectors
from bot.connectors.command import command, make, runner
from bot.core.errors import ConfigError, NotFound
from bot.core.jobs import Stage
from bot.core.ports import ConnectorKind
from bot.core.registry import discover

ONCE = "import sys; open(sys.argv[1], 'a').write('x')"


@pytest.fixture
def jobs(tmp_path):
    """A way to make the connector with one job named `train` that runs this Python text."""

    def made(text, *arguments, **more):
        run = [sys.executable, "-u", "-c", text, *arguments]
        return make({"state": str(tmp_path / "state"), "jobs": {"train": {"run": run, "folder": str(tmp_path), **more}}})

    return made


def ends(jobs, key="run:1", patience=10.0):
    """Wait until the job has ended; return how."""
    until = time.monotonic() + patience
    while (job := jobs.job("train", key)).stage is Stage.RUNNING:
        assert time.monotonic() < until, f"still running: {job.words}"
        time.sleep(0.02)
    return job


def begins(jobs, key="run:1"):
    """Wait until it has printed something; return what."""
    until = time.monotonic() + 10
    while not (words := jobs.job("train", key).words):
        assert time.monotonic() < until
        time.sleep(0.02)
    return words


def folder_of(tmp_path):
    return next((tmp_path / "state").iterdir())


def test_what_it_prints_last_is_what_people_read(jobs):
    trained = jobs("print('epoch 1'); print('epoch 2')")
    trained.start("train", {}, "run:1")

    assert ends(trained) == trained.job("train", "run:1")
    assert (trained.job("train", "run:1").stage, trained.job("train", "run:1").words) == (Stage.SUCCEEDED, "epoch 2")


def test_a_last_line_of_json_is_its_result(jobs):
    trained = jobs("""print('{"words": "trained v4", "version": "v4", "auc": 0.8}')""")
    trained.start("train", {}, "run:1")

    job = ends(trained)
    assert (job.words, job.result["version"]) == ("trained v4", "v4")


def test_a_failure_says_its_code_and_its_last_words(jobs):
    failing = jobs("import sys; sys.exit('no rows since Monday')")
    failing.start("train", {}, "run:1")

    job = ends(failing)
    assert (job.stage, job.words) == (Stage.FAILED, "exit code 1: no rows since Monday")


def test_a_program_that_is_not_there_says_so(tmp_path):
    jobs = make({"state": str(tmp_path), "jobs": {"train": {"run": ["/no/such/program"]}}})
    jobs.start("train", {}, "run:1")

    assert ends(jobs).words == "it could not be started: No such file or directory"


def test_however_often_it_is_started_it_runs_once(jobs, tmp_path):
    counting = jobs(ONCE, str(tmp_path / "effects"))
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda _: counting.start("train", {}, "run:1"), range(8)))
    ends(counting)
    counting.start("train", {}, "run:1")
    time.sleep(0.3)

    assert (tmp_path / "effects").read_text() == "x"


def test_another_key_is_another_start(jobs, tmp_path):
    counting = jobs(ONCE, str(tmp_path / "effects"))
    for key in ("run:1", "run:2"):
        counting.start("train", {}, key)
        ends(counting, key)

    assert (tmp_path / "effects").read_text() == "xx"


def test_a_bot_that_starts_anew_finds_its_job_again(jobs):
    text = "import time; print('half way'); time.sleep(0.6); print('there')"
    jobs(text).start("train", {}, "run:1")
    later = jobs(text)

    assert (begins(later), ends(later).words) == ("half way", "there")


def test_nothing_started_is_absent(jobs):
    assert jobs("pass").job("train", "run:1").stage is Stage.ABSENT


def test_cancelling_ends_everything_that_it_has_started(jobs, tmp_path):
    text = (
        "import subprocess, sys, time; child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print(child.pid); time.sleep(60)"
    )
    slow = jobs(text)
    slow.start("train", {}, "run:1")
    child = int(begins(slow))
    slow.cancel("train", "run:1")

    assert ends(slow).words.startswith("stopped, as asked")
    assert gone(child)


def gone(pid):
    until = time.monotonic() + 5
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False


def test_cancelling_what_was_never_started_does_nothing(jobs):
    idle = jobs("pass")
    idle.cancel("train", "run:1")

    assert idle.job("train", "run:1").stage is Stage.ABSENT


def test_its_time_is_up_at_its_timeout(jobs):
    slow = jobs("import time; print('epoch 1'); time.sleep(60)", timeout="1s")
    slow.start("train", {}, "run:1")

    assert ends(slow).words == "stopped after 1 s, its time: epoch 1"


def test_a_runner_that_was_killed_leaves_a_failure_not_a_wait_for_ever(jobs, tmp_path):
    slow = jobs("import os, time; print(os.getppid(), flush=True); time.sleep(60)")
    slow.start("train", {}, "run:1")
    parent = int(begins(slow))
    os.kill(parent, signal.SIGKILL)
    job = ends(slow)

    assert (job.stage, "nobody knows whether it ended" in job.words) == (Stage.FAILED, True)
    with contextlib.suppress(ProcessLookupError):
        for pid in children_named(tmp_path):
            os.kill(pid, signal.SIGKILL)


def children_named(tmp_path):
    """The processes that work in this test's folder."""
    for each in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if each.resolve() == tmp_path.resolve():
                yield int(each.parent.name)


@pytest.mark.parametrize("value", ["; rm -rf /", "$(id)", "a b", "'", "<!channel>"])
def test_a_parameter_is_one_argument_and_no_shell_reads_it(jobs, value):
    echoing = jobs("import sys; print(sys.argv[1])", "{version}")
    echoing.start("train", {"version": value}, "run:1")

    assert ends(echoing).words == value


def test_a_parameter_that_would_become_an_option_is_refused(jobs):
    with pytest.raises(ConfigError, match="looks like an option"):
        jobs("pass", "{version}").order("train", {"version": "--delete-all"})


def test_a_parameter_inside_a_written_option_may_begin_as_it_likes(jobs):
    assert jobs("pass", "--to={version}").order("train", {"version": "-1"}).endswith("--to=-1")


def test_a_missing_parameter_is_named(jobs):
    with pytest.raises(ConfigError, match="needs 'version'"):
        jobs("pass", "{version}").order("train", {})


def test_an_unknown_job_names_the_known_ones(jobs):
    with pytest.raises(NotFound, match="known: train"):
        jobs("pass").order("deploy", {})


def test_only_named_variables_reach_the_command(jobs, monkeypatch):
    monkeypatch.setenv("TRAINING_TOKEN", "t")
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb")
    told = jobs("import os, json; print(json.dumps(dict(os.environ)))", environment=["TRAINING_TOKEN"])
    told.start("train", {}, "run:1")
    seen = ends(told).result

    assert (seen["TRAINING_TOKEN"], seen["AIOPS_KEY"], "SLACK_BOT_TOKEN" in seen) == ("t", "run:1", False)


def test_a_million_lines_are_not_read_to_tell_the_last(jobs):
    loud = jobs("print('x' * 5_000_000); print('done')")
    loud.start("train", {}, "run:1")

    assert ends(loud).words == "done"


def test_a_second_runner_leaves_a_claimed_start_alone(tmp_path):
    (tmp_path / runner.CLAIM).touch()
    (tmp_path / runner.ORDER).write_text(json.dumps({}))
    runner.main(tmp_path)

    assert not (tmp_path / runner.ENDED).exists()


@pytest.mark.parametrize("options", [{}, {"jobs": {}}, {"jobs": {"train": {"run": []}}}, {"jobs": {"train": {"run": "rm -rf /"}}}])
def test_wrong_options_are_refused(options):
    with pytest.raises(ConfigError):
        make(options)


def test_it_is_found_as_a_connector():
    assert discover(bot.connectors, ConnectorKind)["command"] is command
