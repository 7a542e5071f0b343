"""The doctor asks Prefect about each job's deployment, and whether anybody would carry it out, without starting anything."""

import pytest

from bot.config import load_settings
from bot.doctor import prefect
from tests.fakes.loopback import serving
from tests.fakes.prefect import PASSWORD, FakePrefect
from tests.unit.test_doctor import TEXT

JOBS = "{retrain: {deployment: train/nightly, parameters: {until: '{until}'}}, big: {deployment: train/pooled}}"


@pytest.fixture
def fake():
    return FakePrefect()


@pytest.fixture
def remarks(fake, tmp_path, monkeypatch):
    """Return a function that gives the doctor's remarks, as (state, words)."""
    with serving(fake.answer) as url:

        def look(jobs=JOBS, password=PASSWORD, more="", at=url):
            monkeypatch.setenv("PREFECT_PASSWORD", password)
            door = f"kind: prefect\n    url: {at}\n    username: bot\n    password: ${{env:PREFECT_PASSWORD}}\n    {more}\n"
            text = TEXT.replace("platforms: {}", f"platforms:\n  flows:\n    {door}    jobs: {jobs}")
            text = text.replace("    watches:", "    connectors: {trainer: flows}\n    watches:", 1)
            (tmp_path / "aiops.yaml").write_text(text)
            return [(r.state, r.words) for r in prefect.deployments(load_settings(tmp_path / "aiops.yaml"))]

        yield look


def test_a_job_that_somebody_would_carry_out_is_well_and_one_that_would_wait_is_a_hint(remarks, fake):
    silent = "the work pool 'pool' has not asked for work for a minute or more, so a run would wait"
    ready = "READY, carried out by the process that serves it; whether the bot may start it only a start can show"
    assert remarks() == [
        ("hint", f"'flows', for churn@production: big (train/pooled): {silent}."),
        ("ok", f"'flows', for churn@production: retrain (train/nightly): {ready}."),
    ]
    assert fake.runs == {}


def test_a_job_whose_pool_is_paused_is_a_problem(remarks, fake):
    fake.paused["pool"] = True

    said = "'flows', for churn@production: big (train/pooled): the work pool 'pool' is paused, so no run would begin."
    assert remarks()[0] == ("problem", said)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"jobs": "{retrain: {deployment: train/nowhere}}"}, "no deployment 'train/nowhere'"),
        (
            {"jobs": "{retrain: {deployment: train/nightly, parameters: {untill: x}}}"},
            "takes no parameter 'untill'; it takes: dies",
        ),
        ({"password": "wrong-one"}, "does not allow this (401)"),
        ({"more": "api_key: ${env:PREFECT_PASSWORD}"}, "give `username` and `password`, or an `api_key`"),
        ({"at": "http://127.0.0.1:9"}, "could not be reached"),
    ],
    ids=["deployment", "parameter", "password", "section", "address"],
)
def test_what_cannot_be_asked_or_would_not_start_is_a_problem(remarks, more, says):
    states, words = zip(*remarks(**more), strict=True)

    assert set(states) == {"problem"}
    assert all(says in one for one in words)
