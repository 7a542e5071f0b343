"""The doctor asks a cluster whether the Deployment is there and what the bot may not do."""

import pytest

from bot.config import load_settings
from bot.doctor import clusters
from tests.fakes.kube import FakeKube, serving
from tests.unit.test_doctor import TEXT


@pytest.fixture
def kube():
    kube = FakeKube()
    kube.deploy("churn", "srv:v7")
    return kube


@pytest.fixture
def remarks(kube, tmp_path):
    """Return a function that gives the doctor's remarks, as (state, words)."""
    with serving(kube) as url:

        def look(name="churn"):
            platform = f"platforms:\n  prod:\n    kind: kubernetes\n    url: {url}\n    namespace: ml\n"
            text = TEXT.replace("platforms: {}", f"{platform}    targets: {{churn: {{deployment: {name}}}}}")
            text = text.replace("    watches:", "    connectors: {cluster: prod}\n    watches:", 1)
            (tmp_path / "aiops.yaml").write_text(text)
            return [(r.state, r.words) for r in clusters.deployments(load_settings(tmp_path / "aiops.yaml"))]

        yield look


def test_a_cluster_that_can_be_acted_on_says_what_it_runs(remarks):
    words = (
        "'prod': churn@production is Deployment ml/churn: 2 of 2 replicas available, srv:v7 (revision 1); the bot may act on it."
    )

    assert remarks() == [("ok", words)]


def test_missing_permissions_are_named_all_at_once(remarks, kube):
    kube.forbidden = {"patch deployments", "list pods"}

    assert remarks() == [("problem", "'prod': the bot may not patch deployments, list pods at Deployment ml/churn.")]


def test_an_autoscaler_is_mentioned(remarks, kube):
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "churn"}, "maxReplicas": 8}
    kube.put("horizontalpodautoscalers", "ml", "load", {"spec": spec})

    assert "its replicas are set by the autoscaler 'load' (1 to 8)" in remarks()[0][1]


def test_a_deployment_that_is_not_there_is_a_problem(remarks):
    ((state, words),) = remarks("chrun")

    assert (state, "no deployments 'chrun' in namespace 'ml'" in words) == ("problem", True)
