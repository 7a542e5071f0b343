"""The Deployment controller of the fake: ReplicaSets a template, one pod a look, and conditions in Kubernetes' own words."""

import copy
import hashlib
import json

REVISION = "deployment.kubernetes.io/revision"


def template_hash(template):
    """Return a short name of a template."""
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


class Controller:
    """Moves every Deployment one pod further at each look."""

    def __init__(self, kube):
        self.kube, self.mode, self.patience, self.idle = kube, "quick", 3, {}
        self.blind = False

    def look(self):
        """Take up new orders, then move one pod of each Deployment; `blind`, it sees nothing at all."""
        for (resource, namespace, _), paper in list(self.kube.objects.items()):
            if resource == "deployments" and not self.blind:
                self.one(paper, namespace)

    def one(self, paper, namespace):
        before = json.dumps(paper.get("status"))
        current = self.current(paper, namespace)
        if not paper["spec"].get("paused"):
            self.moved(paper, namespace, current)
        self.told(paper, namespace, current)
        if json.dumps(paper["status"]) != before:
            self.kube.touch(paper)

    def current(self, paper, namespace):
        """Return the ReplicaSet of the template in use, made or given the newest revision where it is new in use."""
        name = f"{paper['metadata']['name']}-{template_hash(paper['spec']['template'])}"
        sets = self.sets(paper, namespace)
        newest = max((int(row["metadata"]["annotations"][REVISION]) for row in sets), default=0)
        found = self.kube.objects.get(("replicasets", namespace, name)) or self.made(paper, namespace, name)
        about = found["metadata"].setdefault("annotations", {})
        if int(about.get(REVISION, 0)) < newest or REVISION not in about:
            about[REVISION] = str(newest + 1)
            paper["metadata"].setdefault("annotations", {})[REVISION] = about[REVISION]
            self.idle[paper["metadata"]["uid"]] = 0
        return found

    def made(self, paper, namespace, name):
        template = copy.deepcopy(paper["spec"]["template"])
        labels = {**template["metadata"]["labels"], "pod-template-hash": name.rpartition("-")[2]}
        template["metadata"]["labels"] = labels
        about = {"labels": labels, "ownerReferences": [owner(paper, "Deployment")]}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
        return self.kube.put("replicasets", namespace, name, {"metadata": about, "spec": spec})

    def sets(self, paper, namespace):
        return [
            row for row in self.kube.sets(namespace) if row["metadata"]["ownerReferences"][0]["uid"] == paper["metadata"]["uid"]
        ]

    def pods(self, row, namespace):
        owned = row["metadata"]["uid"]
        pods = [p for (kind, space, _), p in self.kube.objects.items() if (kind, space) == ("pods", namespace)]
        return [pod for pod in pods if pod["metadata"]["ownerReferences"][0]["uid"] == owned]

    def moved(self, paper, namespace, current):
        """Make one pod of the newest template, or take one away that is too many, old ones first."""
        wanted, mine = paper["spec"]["replicas"], self.pods(current, namespace)
        old = [pod for row in self.sets(paper, namespace) if row is not current for pod in self.pods(row, namespace)]
        ready = [pod for pod in mine if serves(pod)]
        if len(mine) < wanted and len(mine) + len(old) <= wanted:
            self.born(current, namespace)
        elif old and (len(ready) + len(old) > wanted or not all(map(serves, old))):
            self.gone(next((pod for pod in old if not serves(pod)), old[0]))
        elif len(mine) > wanted:
            self.gone(mine[-1])

    def born(self, row, namespace):
        self.kube.version += 1
        name = f"{row['metadata']['name']}-{self.kube.version}"
        good = "False" if self.mode == "stuck" else "True"
        about = {"labels": row["spec"]["template"]["metadata"]["labels"], "ownerReferences": [owner(row, "ReplicaSet")]}
        pod = {"apiVersion": "v1", "metadata": about, "spec": copy.deepcopy(row["spec"]["template"]["spec"])}
        self.kube.put("pods", namespace, name, {**pod, "status": {"conditions": [{"type": "Ready", "status": good}]}})

    def gone(self, pod):
        del self.kube.objects["pods", pod["metadata"]["namespace"], pod["metadata"]["name"]]

    def told(self, paper, namespace, current):
        """Write the status. A complaint stays until there is progress, as a real controller leaves it."""
        mine = self.pods(current, namespace)
        everything = [pod for row in self.sets(paper, namespace) for pod in self.pods(row, namespace)]
        status = {"observedGeneration": paper["metadata"]["generation"], "replicas": len(everything), "updatedReplicas": len(mine)}
        status |= {"readyReplicas": sum(map(serves, everything)), "availableReplicas": sum(map(serves, everything))}
        done = len(mine) == len(everything) == status["availableReplicas"] == paper["spec"]["replicas"]
        before, uid = paper.get("status", {}), paper["metadata"]["uid"]
        same = before and all(before.get(name) == value for name, value in status.items() if name != "observedGeneration")
        self.idle[uid] = 0 if done or not same else self.idle.get(uid, 0) + 1
        progress = self.progress(current["metadata"]["name"], done=done, late=self.idle[uid] > self.patience)
        kept = [row for row in before.get("conditions", []) if row["reason"] == "ProgressDeadlineExceeded" and same and not done]
        paper["status"] = {**status, "conditions": kept or [progress]}

    def progress(self, name, *, done, late):
        if done:
            words = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
        elif late:
            words = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
        else:
            words = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
        return dict(zip(("type", "status", "reason", "message"), ("Progressing", *words), strict=True))


def owner(paper, kind):
    about = {"apiVersion": "apps/v1", "kind": kind, "name": paper["metadata"]["name"], "uid": paper["metadata"]["uid"]}
    return {**about, "controller": True, "blockOwnerDeletion": True}


def serves(pod):
    return pod["status"]["conditions"][0]["status"] == "True"
