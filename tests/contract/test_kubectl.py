"""The real `kubectl` takes the fake API server for Kubernetes, so what the connector learns from it is worth something.

Nothing here has met a real cluster.
"""

import json
import os
import subprocess

import pytest

from tests.contract import servers
from tests.fakes.kube import FakeKube, serving


@pytest.fixture
def kube():
    kube = FakeKube()
    kube.deploy(image="srv:v1")
    return kube


@pytest.fixture
def kubectl(kube, tmp_path):
    """Return a function that runs kubectl against the fake; what it printed and its exit code come back."""
    judge = servers.program("kubectl", "`.ci/run` installs it")
    with serving(kube) as url:

        def run(*words, stdin=""):
            asked = [judge, "--kubeconfig=/dev/null", f"--server={url}", f"--cache-dir={tmp_path}", "-n", "ml", *words]
            env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
            done = subprocess.run(asked, input=stdin, capture_output=True, text=True, timeout=30, env=env, check=False)
            return done.returncode, done.stdout + done.stderr

        yield run


def test_kubectl_reads_a_deployment(kubectl):
    code, said = kubectl("get", "deployment", "delays", "-o", "json")

    assert code == 0, said
    assert json.loads(said)["spec"]["template"]["spec"]["containers"] == [{"name": "server", "image": "srv:v1"}]


def test_kubectl_restarts_and_follows_it_to_its_end(kubectl, kube):
    code, said = kubectl("rollout", "restart", "deployment/delays")
    assert code == 0, said
    code, said = kubectl("rollout", "status", "deployment/delays", "--timeout=10s")

    assert (code, "successfully rolled out" in said) == (0, True), said
    assert len(kube.sets()) == 2


def test_kubectl_sees_a_rollout_that_is_stuck(kubectl, kube):
    kube.controller.mode = "stuck"
    kubectl("rollout", "restart", "deployment/delays")
    code, said = kubectl("rollout", "status", "deployment/delays", "--timeout=10s")

    assert (code, "exceeded its progress deadline" in said) == (1, True), said


def test_kubectl_undoes_a_rollout(kubectl, kube):
    kube.deploy(image="srv:v2")
    code, said = kubectl("rollout", "undo", "deployment/delays", "--to-revision=1")
    assert code == 0, said
    kube.settle()

    assert kube.images() == {"srv:v1": 2}
    assert kube.deployment()["metadata"]["annotations"]["deployment.kubernetes.io/revision"] == "3"


def test_kubectl_scales(kubectl, kube):
    code, said = kubectl("scale", "deployment/delays", "--replicas=3", "--current-replicas=2")
    assert code == 0, said
    kube.settle()

    assert kube.images() == {"srv:v1": 3}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("strategic", {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "srv:v9"}]}}}}),
        ("merge", {"spec": {"template": {"spec": {"containers": [{"name": "server", "image": "srv:v9"}]}}}}),
        ("json", [{"op": "replace", "path": "/spec/template/spec/containers", "value": [{"name": "server", "image": "srv:v9"}]}]),
    ],
    ids=["strategic", "merge", "json"],
)
def test_kubectl_patches_in_three_ways(kubectl, kube, kind, body):
    code, said = kubectl("patch", "deployment", "delays", f"--type={kind}", "-p", json.dumps(body))
    assert code == 0, said
    kube.settle()

    assert kube.images() == {"srv:v9": 2}


def test_kubectl_is_told_that_somebody_was_faster(kubectl, kube):
    _, old = kubectl("get", "deployment", "delays", "-o", "json")
    kube.deploy(image="srv:v2")
    code, said = kubectl("replace", "--validate=false", "-f", "-", stdin=old)

    assert (code, "the object has been modified" in said) == (1, True), said


# custom resources


def test_kubectl_finds_an_inference_service_by_its_kind_and_reads_it(kubectl, kube):
    kube.serve(version="v1")
    code, said = kubectl("get", "inferenceservices", "-o", "json")

    assert code == 0, said
    (paper,) = json.loads(said)["items"]
    assert (paper["apiVersion"], paper["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    assert paper["status"]["components"]["predictor"]["latestRolledoutRevision"] == "delays-predictor-00001"


def test_kubectl_moves_the_traffic_of_an_inference_service(kubectl, kube):
    kube.serve(version="v1")
    kube.serve(version="v2")
    body = json.dumps({"spec": {"predictor": {"canaryTrafficPercent": 20}}})
    code, said = kubectl("patch", "inferenceservice", "delays", "--type=merge", "-p", body)
    assert code == 0, said
    query = "jsonpath={.status.components.predictor.traffic[?(@.percent==80)].revisionName}"
    code, said = kubectl("wait", "inferenceservice/delays", f"--for={query}=delays-predictor-00001", "--timeout=10s")

    assert (code, "condition met" in said) == (0, True), said


def test_kubectl_is_told_that_custom_resources_take_no_strategic_merge(kubectl, kube):
    kube.serve(version="v1")
    code, said = kubectl("patch", "inferenceservice", "delays", "--type=strategic", "-p", '{"spec": {"predictor": {}}}')

    assert (code, "is not supported by serving.kserve.io/v1beta1" in said) == (1, True), said


def test_kubectl_reads_the_revisions_with_the_labels_of_their_service(kubectl, kube):
    kube.serve(version="v1")
    kube.serve(version="v2")
    code, said = kubectl("get", "revisions.serving.knative.dev", "-l", "version=v2", "-o", "name")

    assert (code, said.strip()) == (0, "revision.serving.knative.dev/delays-predictor-00002"), said


STEPS = ({"setWeight": 20}, {"pause": {}})


def test_kubectl_reads_a_rollout_and_sees_it_pause(kubectl, kube):
    kube.rolls("v1", STEPS)
    kube.rolls("v2")
    code, said = kubectl("wait", "rollout/delays", "--for=jsonpath={.status.phase}=Paused", "--timeout=10s")
    assert (code, "condition met" in said) == (0, True), said
    code, said = kubectl("get", "rollouts", "-o", "json")

    assert code == 0, said
    assert json.loads(said)["items"][0]["status"]["canary"]["weights"]["canary"]["weight"] == 20


def test_kubectl_aborts_a_rollout_in_its_status_and_nowhere_else(kubectl, kube):
    kube.rolls("v1", STEPS)
    kube.rolls("v2")
    abort = '{"status": {"abort": true}}'
    code, said = kubectl("patch", "rollout", "delays", "--type=merge", "-p", abort)
    assert code == 0, said
    kube.settle()
    assert kube.rolling()["status"]["phase"] == "Paused"
    code, said = kubectl("patch", "rollout", "delays", "--subresource=status", "--type=merge", "-p", abort)
    assert code == 0, said
    kube.settle()

    assert kube.rolling()["status"]["phase"] == "Degraded"
