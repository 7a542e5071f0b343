"""The whole story as a stranger plays it: `aiops demo --headless`, real flights, real models, a real Envoy, in both transports.

The demo itself decides by measurement whether every promise was kept (`bot.demo.proof`); here its chat is read once more. The year
over signed HTTP takes as long again, so `make test-all` plays it.
"""

import os
import re
import subprocess
import sys

import pytest


@pytest.fixture(scope="module", params=["socket", pytest.param("http", marks=pytest.mark.slow)])
def played(request, tmp_path_factory):
    """The demo's exit code and everything that it printed."""
    command = [sys.executable, "-m", "bot", "demo", "--headless", "--port", "0", "--transport", request.param]
    folder = tmp_path_factory.mktemp("played") / "kept"
    told = subprocess.run(
        [*command, "--keep", str(folder)],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    log = folder / "bot.log"
    return told.returncode, told.stdout + told.stderr, log.read_text() if log.exists() else ""


def test_every_promise_of_the_demo_was_kept(played):
    code, told, log = played

    assert code == 0, told[-6000:] + log[-3000:]
    assert "✘" not in told
    assert told.count("✔") >= 13


def test_july_is_a_digest_line_with_its_reason(played):
    _, told, _ = played

    assert re.search(r"Noticed on \d\d July 2013", told)
    assert re.search(r"temp \(PSI \d", told)
    assert "not paging" in told


def test_the_thread_names_the_version_that_does_better_on_the_very_same_flights(played):
    _, told, _ = played

    assert re.search(r"Roll back to v2: on the very same 1\d,\d{3} rows", told)


def test_the_proposer_was_refused_with_the_reason(played):
    _, told, _ = played

    assert "U0ANA: You proposed this; someone else has to approve it." in told


def test_each_step_was_measured_at_the_splitter(played):
    _, told, _ = played
    measured = re.findall(r"measured (?:v3 \d+ % · )?v2 (\d+) %", told) or re.findall(r"v2 (\d+) % over", told)

    assert "100" in measured
    assert len(measured) == 3


def test_the_lost_feed_was_handed_over_without_a_playbook(played):
    _, told, _ = played

    assert "neither rollback nor retraining would mend it" in told


def test_no_token_is_in_the_chat_or_in_the_log(played):
    _, told, log = played

    assert not re.search(r"xox[bap]-|xapp-", told + log)
