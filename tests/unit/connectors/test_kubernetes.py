"""What an API server says is checked before it is believed, and each refusal says who can mend it."""

import json
import math
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.connectors.kubernetes import RIGHTS, access, make
from bot.core.deployments import Pods
from bot.core.errors import ActionFailed, ConfigError, NotFound
from tests.fakes.kube import FakeKube, serving

TARGETS = {"delays": {"deployment": "delays"}}


def sealed(folder):
    """Return a server's TLS context and the file with the certificate that vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kube")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed, form = builder.sign(key, hashes.SHA256()), serialization.PrivateFormat.PKCS8
    (folder / "ca.crt").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "ca.crt", folder / "key.pem")
    return context, folder / "ca.crt"


@pytest.fixture(scope="module")
def house():
    """One server and one connector for all facts; each begins with a world of its own."""
    kube = FakeKube()
    with serving(kube) as url:
        connector = make({"url": url, "token": "s3cret", "namespace": "ml", "targets": TARGETS})
        yield kube, url, connector
        connector.close()


@pytest.fixture
def kube(house):
    house[0].begin(token="s3cret")
    house[0].deploy()
    return house[0]


@pytest.fixture
def url(kube, house):
    return house[1]


@pytest.fixture
def cluster(kube, house):
    return house[2]


def test_a_deployment_says_where_it_stands(cluster):
    seen = cluster.rollout("delays")

    assert (seen.wanted, seen.updated, seen.available, seen.done, seen.stamp) == (2, 2, 2, True, "")
    assert [revision.words for revision in cluster.revisions("delays")] == ["srv:v1 (revision 1)"]
    assert cluster.where("delays") == "Deployment ml/delays"


def test_a_model_without_a_deployment_is_named(cluster):
    with pytest.raises(NotFound, match="No Deployment is named for 'churn'; known: delays"):
        cluster.rollout("churn")


def test_a_deployment_that_is_not_there_is_named(url):
    cluster = make({"url": url, "token": "s3cret", "targets": {"delays": {"deployment": "other", "namespace": "ml"}}})
    with pytest.raises(NotFound, match=r"no deployments 'other' in namespace 'ml' \(404\)"):
        cluster.rollout("delays")


def test_a_token_that_is_not_accepted_says_what_to_renew_and_is_not_shown(url):
    cluster = make({"url": url, "token": "wr0ng", "namespace": "ml", "targets": TARGETS})
    with pytest.raises(ActionFailed, match=r"\(401\); renew the platform's `token`") as caught:
        cluster.rollout("delays")
    assert "wr0ng" not in str(caught.value)


@pytest.mark.parametrize(
    ("right", "call"),
    [
        ("get deployments", lambda c: c.rollout("delays")),
        ("list replicasets", lambda c: c.revisions("delays")),
        ("list pods", lambda c: c.pods("delays")),
        ("list horizontalpodautoscalers", lambda c: c.autoscaler("delays")),
        ("patch deployments/scale", lambda c: c.scale("delays", 2, 3)),
        ("patch deployments", lambda c: c.stamp("delays", c.rollout("delays").template, "key")),
    ],
    ids=["get", "sets", "pods", "autoscalers", "scale", "patch"],
)
def test_a_missing_permission_is_named_as_a_role_writes_it(kube, cluster, right, call):
    kube.forbidden = {right}
    with pytest.raises(ActionFailed, match=rf"may not {right} in namespace 'ml' \(403\); add this verb"):
        call(cluster)
    assert cluster.missing("delays") == [right]


def test_a_role_that_is_enough_lacks_nothing(cluster):
    assert cluster.missing("delays") == []
    assert len(RIGHTS) == 6


def test_what_the_server_says_of_a_refusal_is_passed_on_in_one_short_line(kube, cluster):
    read = kube.get("deployments", "ml", "delays")
    kube.answers = [(200, read), (422, {"message": "spec.replicas:\n  Invalid " + "x" * 900})]
    with pytest.raises(
        ActionFailed, match=r"refused to patch deployments/scale \(answer 422\): spec.replicas: Invalid x+"
    ) as caught:
        cluster.scale("delays", 2, 3)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("said", [b"<html>", b"[]", b'{"message": 7}'], ids=["html", "list", "number"])
def test_a_refusal_without_a_reason_is_still_a_sentence(kube, cluster, said):
    kube.answers = [(400, said)]
    with pytest.raises(ActionFailed, match="it does not say why"):
        cluster.rollout("delays")


def deployment(replicas=2, containers=(), **template):
    """Return something that is nearly a Deployment."""
    spec = {"replicas": replicas, "template": {"spec": {"containers": containers}, **template}}
    return {"kind": "Deployment", "metadata": {"name": "delays"}, "spec": spec}


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"[1]",
        {},
        {"kind": "Deployment"},
        {"kind": "Deployment", "metadata": []},
        {**deployment(), "metadata": {"name": "other"}},
        {**deployment(), "spec": {"template": 7}},
        deployment(containers={}),
        deployment(replicas="2"),
        deployment(replicas=True),
        deployment(replicas=-1),
        deployment(x=math.nan),
    ],
    ids=["empty", "list", "nothing", "bare", "odd", "another", "no template", "no containers", "text", "truth", "negative", "nan"],
)
def test_what_is_no_deployment_is_not_believed(kube, cluster, said):
    kube.answers = [(200, said)]
    with pytest.raises(ActionFailed):
        cluster.rollout("delays")


def test_what_is_nearly_none_is_one(kube, cluster):
    kube.answers = [(200, deployment())]

    assert cluster.rollout("delays").wanted == 2


def test_odd_labels_are_no_reason_to_stumble(kube, cluster):
    paper = json.loads(json.dumps(kube.deployment()))
    paper["spec"]["template"]["metadata"] = {"labels": ["odd"], "annotations": 7}
    paper["status"]["conditions"] = [7, {"type": ["x"]}]
    kube.answers = [(200, paper)]

    assert cluster.rollout("delays").wanted == 2


def test_an_order_that_has_no_replica_set_yet_is_looked_for_later(kube, cluster):
    kube.controller.blind = True
    kube.deployment()["spec"]["template"]["spec"]["containers"][0]["image"] = "srv:v2"
    with pytest.raises(ActionFailed, match="has not taken up the newest order for delays yet"):
        cluster.revisions("delays")


def test_replica_sets_of_others_with_the_same_labels_are_not_ours(kube, cluster):
    stranger = json.loads(json.dumps(kube.sets()[0]))
    stranger["metadata"] |= {
        "name": "stranger",
        "uid": "x",
        "ownerReferences": [{"kind": "Deployment", "uid": "y", "controller": True}],
    }
    kube.objects["replicasets", "ml", "stranger"] = stranger
    kube.controller.blind = True

    assert len(cluster.revisions("delays")) == 1


def test_pods_that_go_are_not_ready_or_were_injected_into_are_told_apart(kube, cluster):
    pods = [paper for (kind, _, _), paper in kube.objects.items() if kind == "pods"]
    pods[0]["spec"]["containers"].append({"name": "mesh", "image": "proxy:1"})
    pods[1]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    kube.controller.blind = True

    assert cluster.pods("delays") == [Pods(kube.sets()[0]["metadata"]["name"], ("srv:v1",), 1)]


def test_a_token_in_a_file_is_read_at_each_call_because_it_is_replaced_every_hour(kube, url, tmp_path):
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    cluster = make({"url": url, "token_file": str(file), "namespace": "ml", "targets": TARGETS})
    cluster.rollout("delays")
    kube.token = "n3w"
    file.write_text("n3w\n")

    assert cluster.rollout("delays").done
    file.unlink()
    with pytest.raises(ConfigError, match="is the service account's token mounted"):
        cluster.rollout("delays")


def test_in_a_cluster_its_own_service_account_is_used(kube, url, tmp_path, monkeypatch):
    host, _, port = url.removeprefix("http://").partition(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)
    monkeypatch.setattr(access, "MOUNTED", tmp_path)
    (tmp_path / "namespace").write_text("ml")
    with pytest.raises(ConfigError, match=r"ca\.crt holds no certificate authority"):
        make({"targets": TARGETS})
    (tmp_path / "ca.crt").write_text(certifi.contents())
    cluster = make({"targets": TARGETS})

    assert cluster.where("delays") == "Deployment ml/delays"
    with pytest.raises(ConfigError, match="token mounted"):
        cluster.rollout("delays")


def test_a_cluster_is_known_by_its_own_authority(kube, tmp_path):
    context, authority = sealed(tmp_path)
    with serving(kube, context) as url:
        cluster = make({"url": url, "token": "s3cret", "ca": str(authority), "namespace": "ml", "targets": TARGETS})
        other = make({"url": url, "token": "s3cret", "namespace": "ml", "targets": TARGETS})

        assert cluster.rollout("delays").done
        with pytest.raises(ActionFailed, match="could not be reached"):
            other.rollout("delays")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "`url` must say where the API server is"),
        ({"url": "http://kube.corp:8080", "token": "t"}, "a token is sent over https:// only"),
        ({"url": "https://k", "ca": "/nowhere.crt"}, "holds no certificate authority"),
        ({"url": "https://k", "targets": {}}, "at least 1"),
        ({"url": "https://k", "targets": {"delays": {"deployment": "../secrets"}}}, "deployment"),
        ({"url": "https://k", "targets": {"delays": {"deployment": "d", "least": 5, "most": 2}}}, "`least` of delays is above"),
        ({"url": "https://k", "tokn": "t"}, "perhaps 'token' is meant"),
    ],
    ids=["no url", "clear", "no ca", "no targets", "path", "limits", "spelling"],
)
def test_a_wrong_option_is_one_sentence(options, words, monkeypatch):
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(ConfigError, match=words):
        make({"targets": TARGETS, **options})
