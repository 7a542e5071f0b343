"""The fixtures that users get for their own playbook tests."""

import subprocess
import sys

SAMPLE = """
def test_people_meet(slack, person):
    person("ana").says("hello bo", channel="ops")
    person("bo").sees("hello bo")

    assert "ana: hello bo" in slack.transcript("ops")


def test_nothing_is_left_over(slack):
    assert slack.transcript("ops") == "#ops"
"""


def test_the_fixtures_give_a_fresh_slack_and_its_people(tmp_path):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    told = subprocess.run([*command, str(tmp_path)], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "2 passed" in told.stdout, told.stdout + told.stderr
