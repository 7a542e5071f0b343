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


# what shares traffic there


@pytest.fixture
def routed(tmp_path):
    """Return a KServe, and a function that gives the doctor's remarks about it, as (state, words)."""
    kube = FakeKube()
    kube.serve("churn", "v6")
    kube.serve("churn", "v7")
    with serving(kube) as url:

        def look(name="churn", kind="kserve", what="service"):
            platform = f"platforms:\n  edge:\n    kind: {kind}\n    url: {url}\n    namespace: ml\n"
            text = TEXT.replace("platforms: {}", f"{platform}    targets: {{churn: {{{what}: {name}}}}}")
            text = text.replace("    watches:", "    serving: edge\n    watches:", 1)
            (tmp_path / "aiops.yaml").write_text(text)
            return [(r.state, r.words) for r in clusters.routers(load_settings(tmp_path / "aiops.yaml"))]

        yield kube, look


def test_a_router_that_serves_as_ordered_is_well(routed):
    words = "'edge': churn@production is InferenceService ml/churn, served as ordered; the bot may act on it."

    assert routed[1]() == [("ok", words)]


def test_one_that_does_not_yet_is_hinted_at(routed):
    kube, look = routed
    kube.kserve.mode = "blind"
    kube.service("churn")["spec"]["predictor"]["canaryTrafficPercent"] = 10
    ((state, words),) = look()

    assert (state, "not served as ordered yet: KServe still routes churn-predictor-00002 100 %" in words) == ("hint", True)


def test_permissions_that_a_router_lacks_are_named(routed):
    kube, look = routed
    kube.forbidden = {"patch inferenceservices", "get revisions"}

    assert look() == [("problem", "'edge': the bot may not patch inferenceservices, get revisions at InferenceService ml/churn.")]


def test_a_mode_in_which_nothing_can_be_moved_is_a_problem(routed):
    kube, look = routed
    kube.service("churn")["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "RawDeployment"}
    kube.service("churn")["status"].pop("deploymentMode")
    ((state, words),) = look()

    assert (state, "runs in RawDeployment mode" in words) == ("problem", True)


def test_a_service_that_is_not_there_is_a_problem(routed):
    ((state, words),) = routed[1]("chrun")

    assert (state, "no inferenceservices 'chrun' in namespace 'ml'" in words) == ("problem", True)


def test_a_rollout_that_was_aborted_and_left_so_is_hinted_at(routed):
    kube, look = routed
    kube.rolls("v6", [{"setWeight": 20}, {"pause": {}}], "churn")
    kube.rolls("v7", name="churn")
    kube.rolling("churn")["status"]["abort"] = True
    kube.settle()
    ((state, words),) = look(kind="argo_rollouts", what="rollout")

    assert (state, "is Rollout ml/churn, not served as ordered yet: it is degraded (RolloutAborted" in words) == ("hint", True)
