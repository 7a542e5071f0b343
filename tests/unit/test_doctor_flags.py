"""The doctor asks a flag server whether the model's flag is there, for whom it would be on, and whether the token may switch it."""

import pytest

from bot.config import load_settings
from bot.doctor import flags
from tests.fakes.loopback import serving
from tests.fakes.unleash import ADMIN, PROJECT, VIEWER, FakeUnleash
from tests.unit.test_doctor import TEXT


@pytest.fixture
def fake():
    fake = FakeUnleash()
    fake.answer("POST", f"{PROJECT}/features", {}, {"name": "new"}, {"authorization": ADMIN})
    return fake


@pytest.fixture
def remarks(fake, tmp_path, monkeypatch):
    """Return a function that gives the doctor's remarks, as (state, words)."""
    with serving(fake.answer) as url:

        def look(flag="new", token=ADMIN):
            monkeypatch.setenv("UNLEASH_TOKEN", token)
            where = f"kind: unleash\n    url: {url}\n    token: ${{env:UNLEASH_TOKEN}}\n    environment: production\n"
            text = TEXT.replace("platforms: {}", f"platforms:\n  switches:\n    {where}    flags: {{churn: {{flag: {flag}}}}}")
            text = text.replace("    watches:", "    connectors: {flags: switches}\n    watches:", 1)
            (tmp_path / "aiops.yaml").write_text(text)
            return [(r.state, r.words) for r in flags.flags(load_settings(tmp_path / "aiops.yaml"))]

        yield look


def strategy(fake, rollout):
    fake.answer(
        "POST",
        f"{PROJECT}/features/new/environments/production/strategies",
        {},
        {"name": "flexibleRollout", "parameters": {"rollout": rollout}},
        {"authorization": ADMIN},
    )


def test_a_flag_that_can_be_switched_says_how_it_stands(remarks, fake):
    strategy(fake, "25")
    off = remarks()
    fake.flags["new"]["places"]["production"]["enabled"] = True

    said = "'switches': churn@production has the flag 'new' in production, which is "
    assert off == [("ok", f"{said}off; the bot may switch it.")]
    assert remarks() == [("ok", f"{said}on for 25 %; the bot may switch it.")]


def test_a_token_that_may_only_look_is_a_problem(remarks):
    words = "'switches': the token reads the flag 'new' in production, but may not switch it: it lacks UPDATE_FEATURE_ENVIRONMENT."

    assert remarks(token=VIEWER) == [("problem", words)]


def test_a_flag_that_would_be_on_for_nobody_is_a_hint(remarks, fake):
    strategy(fake, "0")
    ((state, words),) = remarks()

    assert (state, "is on for nobody: its strategies stand at 0 %" in words) == ("hint", True)


@pytest.mark.parametrize(
    ("more", "says"),
    [({"flag": "old"}, "no flag 'old'"), ({"token": "*:*.wrong"}, r"with this token (401)")],
    ids=["flag", "token"],
)
def test_what_cannot_be_asked_is_a_problem(remarks, more, says):
    ((state, words),) = remarks(**more)

    assert (state, says in words) == ("problem", True)
