"""A Kubernetes API server in memory, as far as Deployments go and two kinds of custom resources: real HTTP, resource versions that
conflict, three kinds of patch.

The real `kubectl` is its judge (tests/contract/test_kubectl.py). A small Deployment controller moves one pod at each look at the
Deployment; `mode` "stuck" lets new pods never become ready, and after `patience` looks the controller gives up as a real one does.
"""

import copy
import json
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.fakes.kube_argo import Argo
from tests.fakes.kube_controller import Controller, template_hash
from tests.fakes.kube_kserve import KServe

ROOMS = {
    "apps/v1": ("deployments", "replicasets"),
    "v1": ("pods",),
    "autoscaling/v2": ("horizontalpodautoscalers",),
    "serving.kserve.io/v1beta1": ("inferenceservices",),
    "serving.knative.dev/v1": ("revisions",),
    "argoproj.io/v1alpha1": ("rollouts",),
}
WATCHED = ("deployments", "inferenceservices", "rollouts")
CUSTOM = ("inferenceservices", "revisions", "rollouts")
KINDS = {
    "deployments": "Deployment",
    "replicasets": "ReplicaSet",
    "pods": "Pod",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler",
    "inferenceservices": "InferenceService",
    "revisions": "Revision",
    "rollouts": "Rollout",
}
APPS = "/apis/apps/v1/namespaces"


class Refused(Exception):
    """An answer that is no 2xx."""

    def __init__(self, status, message, reason=""):
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason


class FakeKube:
    """Objects by (resource, namespace, name); `forbidden` holds rights such as "patch deployments", `answers` come first."""

    def __init__(self, token=""):
        self.lock, self.stopped = threading.RLock(), threading.Event()
        self.begin(token)

    def begin(self, token=""):
        """Begin with an empty cluster."""
        self.objects, self.version = {}, 100
        self.token, self.forbidden, self.answers = token, set(), []
        self.controller, self.kserve, self.argo = Controller(self), KServe(self), Argo(self)
        self.calls, self.meddle = Counter(), None

    # what a test does to it

    def deploy(self, name="delays", image="srv:v1", *, replicas=2, namespace="ml"):
        """Create a Deployment, or give it another image; then let it finish."""
        found = self.objects.get(("deployments", namespace, name))
        if found is None:
            labels = {"app": name}
            container = {"name": "server", "image": image}
            template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
            spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template, "progressDeadlineSeconds": 600}
            spec["strategy"] = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
            self.put("deployments", namespace, name, {"apiVersion": "apps/v1", "spec": spec})
        else:
            changed = copy.deepcopy(found)
            changed["spec"]["template"]["spec"]["containers"][0]["image"] = image
            self.write("deployments", namespace, name, changed)
        self.settle()

    def serve(self, name="delays", version="v1", *, namespace="ml", **percent):
        """Create an InferenceService, or give it another model; then let it finish."""
        found = self.objects.get(("inferenceservices", namespace, name))
        model = {"model": {"storageUri": f"s3://models/{name}/{version}"}}
        paper = found or {"apiVersion": "serving.kserve.io/v1beta1", "metadata": {}, "spec": {"predictor": {}}}
        changed = copy.deepcopy(paper)
        changed["spec"]["predictor"] |= model | percent
        changed["metadata"]["labels"] = {"version": version}
        (self.write if found else self.put)("inferenceservices", namespace, name, changed)
        self.settle()

    def service(self, name="delays", namespace="ml"):
        return self.objects["inferenceservices", namespace, name]

    def rolls(self, version, steps=(), name="delays", *, namespace="ml", routed=True):
        """Create a Rollout, or give it another template; then let it go as far as it goes."""
        found = self.objects.get(("rollouts", namespace, name))
        labels = {"app": name}
        container = {"name": "server", "image": f"srv:{version}"}
        template = {"metadata": {"labels": {**labels, "version": version}}, "spec": {"containers": [container]}}
        if found is None:
            canary = {"steps": list(steps), **({"trafficRouting": {"istio": {}}} if routed else {})}
            spec = {"replicas": 4, "selector": {"matchLabels": labels}, "strategy": {"canary": canary}, "template": template}
            self.put("rollouts", namespace, name, {"apiVersion": "argoproj.io/v1alpha1", "spec": spec})
        else:
            self.write("rollouts", namespace, name, {**copy.deepcopy(found), "spec": {**found["spec"], "template": template}})
        self.settle()

    def rolling(self, name="delays", namespace="ml"):
        return self.objects["rollouts", namespace, name]

    def settle(self):
        for _ in range(40):
            self.look()

    def look(self):
        """Let every controller take a turn."""
        self.controller.look()
        self.kserve.look()
        self.argo.look()

    def deployment(self, name="delays", namespace="ml"):
        return self.objects["deployments", namespace, name]

    def sets(self, namespace="ml"):
        return [paper for (kind, space, _), paper in self.objects.items() if (kind, space) == ("replicasets", namespace)]

    def images(self, namespace="ml"):
        """Return how many pods there are of each image."""
        pods = [paper for (kind, space, _), paper in self.objects.items() if (kind, space) == ("pods", namespace)]
        return dict(Counter(pod["spec"]["containers"][0]["image"] for pod in pods))

    # the store

    def put(self, resource, namespace, name, paper):
        """Create an object."""
        self.version += 1
        about = {"name": name, "namespace": namespace, "uid": f"uid-{self.version}", "resourceVersion": str(self.version)}
        about |= {"generation": 1, "creationTimestamp": "2026-01-01T00:00:00Z", "managedFields": []}
        paper = {"apiVersion": "apps/v1", **paper, "kind": KINDS[resource], "metadata": {**about, **paper.get("metadata", {})}}
        self.objects[resource, namespace, name] = paper
        return paper

    def write(self, resource, namespace, name, changed):
        """Replace an object; a version that is not the newest conflicts, and another spec is another generation."""
        found = self.get(resource, namespace, name)
        asked = changed["metadata"].get("resourceVersion")
        if asked and asked != found["metadata"]["resourceVersion"]:
            what = f'Operation cannot be fulfilled on {resource}.apps "{name}"'
            raise Refused(409, f"{what}: the object has been modified; please apply your changes to the latest version", "Conflict")
        changed["status"] = found.get("status", {})
        if changed["spec"].get("template", {}).get("metadata", {}).get("annotations") == {}:
            del changed["spec"]["template"]["metadata"]["annotations"]  # nothing and none are the same there
        if changed != found:
            self.version += 1
            changed["metadata"] = {**changed["metadata"], "resourceVersion": str(self.version), "uid": found["metadata"]["uid"]}
            changed["metadata"]["generation"] = found["metadata"]["generation"] + (changed["spec"] != found["spec"])
            self.objects[resource, namespace, name] = changed
        return self.objects[resource, namespace, name]

    def touch(self, paper):
        """Give an object a new version, as each status update does."""
        self.version += 1
        paper["metadata"]["resourceVersion"] = str(self.version)

    def get(self, resource, namespace, name):
        found = self.objects.get((resource, namespace, name))
        if found is None:
            raise Refused(404, f'{resource} "{name}" not found', "NotFound")
        return found

    def listed(self, resource, namespace, asked):
        labels = dict(pair.split("=", 1) for pair in asked.get("labelSelector", "").split(",") if "=" in pair)
        named = asked.get("fieldSelector", "").removeprefix("metadata.name=")
        for (kind, space, name), paper in sorted(self.objects.items()):
            mine = paper["metadata"].get("labels", {})
            if (kind, space) == (resource, namespace) and named in ("", name) and labels.items() <= mine.items():
                yield paper

    # the API

    def answer(self, method, path, asked, body, kind):
        """Return what a call is answered with."""
        found = discovery(path)
        if found is not None:
            return found
        if path.endswith("/selfsubjectaccessreviews"):
            return self.reviewed(body)
        group, namespace, resource, name, part = parsed(path)
        self.allowed(method, resource, name, part)
        if not name:
            return self.list(group, resource, namespace, asked)
        if method == "GET":
            if resource in WATCHED:
                self.look()
            found = self.get(resource, namespace, name)
            return scale_of(found) if part == "scale" else found
        return self.changed(method, (resource, namespace, name), part, body, kind)

    def list(self, group, resource, namespace, asked):
        if resource in WATCHED:
            self.look()
        items = list(self.listed(resource, namespace, asked))
        version = {"resourceVersion": str(self.version)}
        return {"kind": f"{KINDS[resource]}List", "apiVersion": group, "metadata": version, "items": items}

    def allowed(self, method, resource, name, part):
        verb = {"GET": "get" if name else "list", "PATCH": "patch", "PUT": "update"}[method]
        right = f"{verb} {resource}{f'/{part}' if part else ''}"
        self.calls[right] += 1
        if right in self.forbidden:
            raise Refused(403, f'User "bot" cannot {right}', "Forbidden")

    def reviewed(self, body):
        asked = body["spec"]["resourceAttributes"]
        part = asked.get("subresource")
        right = f"{asked['verb']} {asked['resource']}{f'/{part}' if part else ''}"
        return {**body, "status": {"allowed": right not in self.forbidden}}

    def changed(self, method, place, part, body, kind):
        if self.meddle:
            self.meddle()
        found = self.get(*place)
        before = scale_of(found) if part == "scale" else found
        if part == "status":
            found["status"] = patched(copy.deepcopy(before), body, kind)["status"]
            self.touch(found)
            return found
        if place[0] in CUSTOM and "strategic" in kind:
            raise Refused(
                415, "the body of the request was in an unknown format - it accepts json and merge", "UnsupportedMediaType"
            )
        after = body if method == "PUT" else patched(copy.deepcopy(before), body, kind)
        if part == "scale":
            whole = copy.deepcopy(found)
            whole["spec"]["replicas"] = after["spec"]["replicas"]
            whole["metadata"]["resourceVersion"] = after["metadata"].get("resourceVersion")
            return scale_of(self.write(*place, whole))
        return self.write(*place, after)


def discovery(path):
    """Return what clients ask for before they ask for anything."""
    if path == "/version":
        return {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        groups = [group.split("/") for group in ROOMS if "/" in group]
        named = [(name, {"groupVersion": f"{name}/{version}", "version": version}) for name, version in groups]
        rows = [{"name": name, "versions": [version], "preferredVersion": version} for name, version in named]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": rows}
    group = path.removeprefix("/apis/").removeprefix("/api/")
    if group not in ROOMS:
        return None
    verbs = ["get", "list", "watch", "patch", "update"]
    rows = [
        {"name": name, "singularName": "", "namespaced": True, "kind": KINDS[name], "verbs": verbs, "shortNames": []}
        for name in ROOMS[group]
    ]
    if group == "apps/v1":
        scale = {"group": "autoscaling", "version": "v1", "name": "deployments/scale", "kind": "Scale"}
        rows.append({**rows[0], **scale, "verbs": ["get", "patch", "update"]})
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": rows}


def parsed(path):
    """Return (group and version, namespace, resource, name, part) of a path."""
    parts = path.strip("/").split("/")
    group = "v1" if parts[0] == "api" else "/".join(parts[1:3])
    rest = parts[2:] if parts[0] == "api" else parts[3:]
    if len(rest) < 3 or rest[0] != "namespaces" or rest[2] not in ROOMS.get(group, ()):
        raise Refused(404, "the server could not find the requested resource", "NotFound")
    return group, rest[1], rest[2], *[*rest[3:], "", ""][:2]


def scale_of(deployment):
    about = {name: deployment["metadata"][name] for name in ("name", "namespace", "uid", "resourceVersion")}
    spec, status = {"replicas": deployment["spec"]["replicas"]}, {"replicas": deployment.get("status", {}).get("replicas", 0)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": about, "spec": spec, "status": status}


def patched(paper, body, kind):
    if kind == "application/json-patch+json":
        for one in body:
            pointed(paper, one)
        return paper
    if kind in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
        return merged(paper, body, by_name="strategic" in kind)
    raise Refused(415, f"the body of the request was in an unknown format - {kind}", "UnsupportedMediaType")


def pointed(paper, one):
    """Carry out one operation of a JSON patch (RFC 6902) on mappings."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in one["path"].strip("/").split("/")]
    for part in way:
        paper = paper[part]
    if one["op"] not in ("add", "replace") or (one["op"] == "replace" and last not in paper):
        raise Refused(422, f"the server rejected our request: {one['op']} {one['path']}", "Invalid")
    paper[last] = one["value"]


def merged(old, new, *, by_name):
    """Merge as RFC 7386 has it; `by_name`, a strategic merge, joins lists of named things."""
    if isinstance(new, dict):
        old = dict(old) if isinstance(old, dict) else {}
        for name, value in new.items():
            if value is None:
                old.pop(name, None)
            elif not name.startswith("$"):
                old[name] = merged(old.get(name), value, by_name=by_name)
        return old
    if (
        by_name
        and isinstance(new, list)
        and isinstance(old, list)
        and all(isinstance(x, dict) and "name" in x for x in (*old, *new))
    ):
        named = {row["name"]: row for row in old}
        return list({**named, **{row["name"]: merged(named.get(row["name"]), row, by_name=True) for row in new}}.values())
    return new


@contextmanager
def serving(kube, tls=None):
    """Serve a fake on loopback, sealed where a context is given; yields its URL."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            if asked.get("watch") in ("true", "1"):
                watch(self, kube, url.path, asked)
                return
            with kube.lock:
                status, paper = replied(kube, self, (url.path, asked, body))
            data = paper if isinstance(paper, bytes) else json.dumps(paper).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http{'s' if tls else ''}://127.0.0.1:{server.server_port}"
    finally:
        kube.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


def replied(kube, door, call):
    if kube.answers:
        return kube.answers.pop(0)
    if kube.token and door.headers.get("authorization") != f"Bearer {kube.token}":
        return 401, {"kind": "Status", "code": 401, "message": "Unauthorized", "reason": "Unauthorized"}
    path, asked, body = call
    try:
        return 200, copy.deepcopy(kube.answer(door.command, path, asked, body, door.headers.get("content-type")))
    except Refused as no:
        said = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": no.message}
        return no.status, {**said, "reason": no.reason, "code": no.status}


def watch(door, kube, path, asked):
    """Send each new version of what is watched, until the client hangs up or the server stops."""
    _, namespace, resource, _, _ = parsed(path)
    door.send_response(200)
    door.send_header("content-type", "application/json")
    door.send_header("connection", "close")
    door.end_headers()
    sent, until = asked.get("resourceVersion", "0"), time.monotonic() + 20
    while time.monotonic() < until and not kube.stopped.wait(0.02):
        with kube.lock:
            kube.look()
            papers = [p for p in kube.listed(resource, namespace, asked) if int(p["metadata"]["resourceVersion"]) > int(sent)]
            lines = [json.dumps({"type": "MODIFIED", "object": paper}) for paper in papers]
            sent = str(kube.version)
        try:
            door.wfile.write("".join(f"{text}\n" for text in lines).encode())
            door.wfile.flush()
        except OSError:
            break
    door.close_connection = True


__all__ = ["FakeKube", "serving", "template_hash"]
