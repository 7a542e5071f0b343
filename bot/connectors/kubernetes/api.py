"""Calls to a Kubernetes API server, and one sentence for every way in which it says no."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.core.deployments import NotNow
from bot.core.errors import ActionFailed, NotFound, OutcomeUnknown
from bot.http import Answer, Http, Unanswered, Unreached

UNAUTHORIZED, FORBIDDEN, GONE, CONFLICT, BUSY, SERVER_ERROR = 401, 403, 404, 409, 429, 500
SAID_CHARS = 200
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Right:
    """What a role must allow: a verb on a resource; what is called and what a missing permission is called come from here."""

    verb: str
    group: str
    resource: str
    part: str = ""
    version: str = "v1"

    @property
    def words(self) -> str:
        """As a role writes it, e.g. "patch deployments/scale"."""
        return f"{self.verb} {self.resource}{f'/{self.part}' if self.part else ''}"

    def path(self, namespace: str, name: str = "") -> str:
        """Return the path of one object, or of all in the namespace."""
        root = f"/apis/{self.group}" if self.group else "/api"
        return "/".join(text for text in (root, self.version, "namespaces", namespace, self.resource, name, self.part) if text)


class Api:
    """One API server; `token` is asked for at every call, because a mounted one is replaced every hour."""

    def __init__(self, url: str, http: Http, token: Callable[[], str]) -> None:
        self._url, self._http, self._token = url.rstrip("/"), http, token

    def read(self, right: Right, namespace: str, name: str = "", **asked: str) -> dict[str, Any]:
        """Return an object or a list; NotNow when the server is busy, stumbles or does not answer."""
        try:
            answer = self._http.get(self._url + right.path(namespace, name), params=asked, headers=self._headers())
        except (Unreached, Unanswered) as error:
            raise NotNow(str(error)) from error
        if answer.status == BUSY or answer.status >= SERVER_ERROR:
            raise NotNow(f"{answer.where} answered {answer.status}.")
        return _paper(_told(answer, right, namespace, name))

    def patch(self, right: Right, namespace: str, name: str, body: object, kind: str = MERGE) -> bool:
        """Change an object; False when it is no longer the version that the patch names.

        Raises:
            OutcomeUnknown: the server stumbled or did not answer; read back.
        """
        answer = self._write("PATCH", right.path(namespace, name), body, kind)
        if answer.status == CONFLICT:
            return False
        _told(answer, right, namespace, name)
        return True

    def may(self, right: Right, namespace: str, name: str = "") -> bool:
        """Return whether the bot may do this, by the server's own account."""
        asked = {"namespace": namespace, "verb": right.verb, "group": right.group, "resource": right.resource}
        asked |= {"subresource": right.part, "name": name}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}}
        review = Right("create", "authorization.k8s.io", "selfsubjectaccessreviews")
        answer = self._write("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body, "application/json")
        status = _paper(_told(answer, review, namespace, "")).get("status")
        return isinstance(status, dict) and status.get("allowed") is True

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _write(self, method: str, path: str, body: object, kind: str) -> Answer:
        headers = {**self._headers(), "content-type": kind}
        answer = self._http.send(method, self._url + path, json.dumps(body).encode(), headers=headers)
        if answer.status >= SERVER_ERROR:
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}; whether it was done has to be read back.")
        return answer

    def _headers(self) -> Mapping[str, str]:
        token = self._token()
        return {"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}


def _told(answer: Answer, right: Right, namespace: str, name: str) -> Answer:
    """Return an answer that says yes; raise what the others mean, and who can mend it."""
    if answer.status == UNAUTHORIZED:
        raise ActionFailed("Kubernetes does not accept the bot's token (401); renew the platform's `token` or `token_file`.")
    if answer.status == FORBIDDEN:
        raise ActionFailed(f"The bot may not {right.words} in namespace '{namespace}' (403); add this verb to its Role.")
    if answer.status == GONE:
        what = f"{right.resource} '{name}'" if name else right.resource
        raise NotFound(f"Kubernetes has no {what} in namespace '{namespace}' (404); compare the platform's targets in aiops.yaml.")
    if not 200 <= answer.status < 300:
        raise ActionFailed(f"Kubernetes refused to {right.words} (answer {answer.status}): {_said(answer)}")
    return answer


def _said(answer: Answer) -> str:
    try:
        said = answer.json()
    except ActionFailed:
        said = None
    text = said.get("message") if isinstance(said, dict) else None
    return line(text) or "it does not say why."


def line(text: object) -> str:
    """Return what a server says as one short line."""
    return " ".join(text.split())[:SAID_CHARS] if isinstance(text, str) else ""


def _paper(answer: Answer) -> dict[str, Any]:
    paper = answer.json()
    if not isinstance(paper, dict):
        raise ActionFailed(f"{answer.where} did not answer with an object; is it really a Kubernetes API server?")
    return paper
