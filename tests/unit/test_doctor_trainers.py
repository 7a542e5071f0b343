"""The doctor asks SageMaker about the jobs of a trainer, and says what is missing, without starting anything."""

import sys

import pytest

from bot.config import load_settings
from bot.doctor import trainers
from tests.contract import servers
from tests.fakes.aws import FakeAws, Refusal
from tests.fakes.loopback import serving
from tests.unit.test_doctor import TEXT


def over_the_wire(fake):
    def answer(_method, _path, _query, body, headers):
        try:
            return 200, fake.answer(headers["x-amz-target"].partition(".")[2], body)
        except Refusal as no:
            return no.status, {"__type": no.code, "message": no.message}

    return answer


@pytest.fixture
def remarks(tmp_path):
    def look(url="http://127.0.0.1:1"):
        section = f"kind: sagemaker\n    region: eu-central-1\n    url: {url}\n    jobs: {{retrain: {{pipeline: churn}}}}\n"
        text = TEXT.replace("platforms: {}", f"platforms:\n  aws:\n    {section}")
        text = text.replace("    watches:", "    connectors: {trainer: aws}\n    watches:", 1)
        (tmp_path / "aiops.yaml").write_text(text)
        return [(r.state, r.words) for r in trainers.trainers(load_settings(tmp_path / "aiops.yaml"))]

    return look


def test_where_botocore_is_not_installed_that_is_the_problem(remarks, monkeypatch):
    monkeypatch.setitem(sys.modules, "botocore", None)
    monkeypatch.delitem(sys.modules, "bot.connectors.sagemaker.api", raising=False)

    [(state, words)] = remarks()

    assert state == "problem"
    assert "needs botocore, which is not installed; run: pip install 'aiops-bot[sagemaker]'" in words


@pytest.mark.slow
def test_a_trainer_that_answers_is_well_and_one_that_refuses_names_the_missing_right(remarks, monkeypatch):
    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, "testing")
    fake = FakeAws()
    fake.pipelines.add("churn")
    with servers.borrowed("moto"), serving(over_the_wire(fake)) as url:
        well = remarks(url)
        fake.instead["ListPipelineExecutions"] = Refusal("AccessDeniedException", "no")
        denied = remarks(url)

    told = "AWS answers about retrain; whether the bot may start and stop them only a start can show."
    assert well == [("ok", f"'aws', for churn@production: {told}")]
    lacks = "AWS does not let the bot do this: its role lacks sagemaker:ListPipelineExecutions; add that to its IAM policy"
    assert [state for state, _ in denied] == ["problem"]
    assert lacks in denied[0][1]
    assert fake.executions == {}
