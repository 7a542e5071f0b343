"""The doctor asks Traefik how it splits, and whether the file that it watches says the same and may be written."""

import pytest

from bot.config import load_settings
from bot.doctor import data
from tests.unit.connectors.test_traefik import API, serving, told, written
from tests.unit.test_doctor import TEXT


@pytest.fixture
def remarks(tmp_path):
    """Return a function that gives the doctor's remarks about a file and what Traefik tells, as (state, words, way out)."""
    file = tmp_path / "models.yml"

    def look(text, answer):
        file.write_text(text)
        with serving(file, {API: answer}) as connector:
            places = "{v1: {weighted: d, service: d_v1}, v2: {weighted: d, service: d_v2@docker}}"
            edge = f"platforms:\n  edge: {{kind: traefik, api: '{connector._api}', file: {file}, targets: {{churn: {places}}}}}"
            config = TEXT.replace("platforms: {}", edge).replace("# serving: gateway", "serving: edge")
            (tmp_path / "aiops.yaml").write_text(config)
            return [(r.state, r.words.replace(str(file), "FILE")) for r in data.splitters(load_settings(tmp_path / "aiops.yaml"))]

    return look


def test_a_file_that_traefik_works_with_is_fine(remarks):
    words = "'edge': churn is served by v1 75 % · v2 25 %; FILE says the same and can be written."

    assert remarks(written(30, 10), told(30, 10)) == [("ok", words)]


def test_a_file_that_traefik_has_refused_is_a_problem_before_it_restarts_on_it(remarks):
    words = (
        "'edge': FILE says d_v1 50, d_v2@docker 50, but Traefik serves d_v1 30, d_v2@docker 10: "
        "somebody is just changing it, or Traefik has refused the file, as its log tells."
    )

    assert remarks(written(50, 50), told(30, 10)) == [("problem", words)]


def test_a_weight_that_is_not_written_is_a_problem_before_a_run_needs_it(remarks):
    ((state, words),) = remarks(written(30, 10).replace("          weight: 30\n", ""), told(1, 10))

    assert (state, "has no `weight`" in words) == ("problem", True)
