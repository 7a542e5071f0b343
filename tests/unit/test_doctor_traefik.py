"""The doctor asks Traefik how it splits, and whether the file that it watches says the same and may be written."""

import re

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


SERVED = ("ok", "'edge': churn is served by v1 75 % · v2 25 %.")


def test_a_file_that_traefik_works_with_is_fine(remarks):
    assert remarks(written(30, 10), told(30, 10)) == [SERVED, ("ok", "'edge': FILE says what Traefik serves, and can be written.")]


def test_weights_that_traefik_does_not_serve_are_a_problem_before_it_restarts_on_them(remarks):
    words = (
        "'edge': FILE says d_v1 50, d_v2@docker 50, but Traefik serves d_v1 30, d_v2@docker 10: "
        "somebody is just changing it, or Traefik has refused the file, as its log tells."
    )

    assert remarks(written(50, 50), told(30, 10)) == [SERVED, ("problem", words)]


def test_a_weight_that_is_not_written_is_a_problem_before_a_run_needs_it(remarks):
    first, (state, words) = remarks(re.sub(" +weight: 30\n", "", written(30, 10)), told(30, 10))

    assert (first, state) == (SERVED, "problem")
    assert "has no `weight`; write one" in words


def test_a_splitter_whose_weights_are_all_nothing_is_a_problem(remarks):
    words = "'edge': all weights of churn are 0, so its callers are served by nobody."

    assert remarks(written(0, 0), told(0, 0)) == [("problem", words)]
