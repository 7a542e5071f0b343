"""Prefect's REST API: who asks, and what a refusal means.

A server may guard its writes, and the questions that are asked by POST, with a token against forged requests (CSRF): it answers 403
to the first one, gives a token for an hour, and refuses it afterwards. So such a call is made once more with a new token, which is
safe: a refused call has done nothing.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

from bot.core.errors import ActionFailed, OutcomeUnknown
from bot.http import Allowed, Answer, Http, Unanswered

REFUSED, FORBIDDEN, GONE, CONFLICT, TOO_MANY, SERVER_ERROR = 401, 403, 404, 409, 429, 500
STRANGE = "does not answer as Prefect 3 does; is `url` really that of its API?"

Headers = Mapping[str, str]


class Api:
    """Calls below one URL in somebody's name; safe to share between threads."""

    def __init__(self, url: str, login: str, timeout_s: float) -> None:
        self._url, self._login = url, {"authorization": login} if login else {}
        self._http = Http(Allowed.of(url), deadline_s=timeout_s)
        self._client, self._seal, self._lock = uuid4().hex, "", threading.Lock()

    def get(self, path: str) -> Answer:
        """Read. Raises ActionFailed where Prefect lets nobody in, Unreached or Unanswered where it is in trouble."""
        return _read(self._http.get(f"{self._url}/{path}", headers=self._login))

    def ask(self, path: str, question: object) -> list[Mapping[str, Any]]:
        """Return what fits this question, first things first. Raises as `get` does."""
        answer = _read(self._sealed(lambda headers: self._http.ask(f"{self._url}/{path}", json=question, headers=headers)))
        told = answer.checked().json()
        if not isinstance(told, list) or not all(isinstance(row, dict) for row in told):
            raise ActionFailed(f"{answer.where} {STRANGE}")
        return told

    def order(self, path: str, wish: object) -> Answer:
        """Write. Raises ActionFailed where Prefect lets nobody in, Unreached, or OutcomeUnknown where only a look can tell."""
        answer = self._sealed(lambda headers: self._http.post(f"{self._url}/{path}", json=wish, headers=headers))
        if _in_trouble(answer):
            raise OutcomeUnknown(f"{answer.where} answered {answer.status}.")
        return _let_in(answer)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _sealed(self, send: Callable[[Headers], Answer]) -> Answer:
        """Send with the token against forged requests where there is one; where it is asked for, once more with a new one."""
        seal = self._seal
        answer = send(self._headers(seal))
        if answer.status != FORBIDDEN or "CSRF" not in answer.text:
            return answer
        return send(self._headers(self._new_seal(stale=seal)))

    def _headers(self, seal: str) -> Headers:
        return {**self._login, "prefect-csrf-client": self._client, "prefect-csrf-token": seal} if seal else self._login

    def _new_seal(self, stale: str) -> str:
        """Return a token other than the stale one; of many threads one asks, because a second asking would void the first."""
        with self._lock:
            if self._seal == stale:
                answer = self.get(f"csrf-token?client={self._client}").checked()
                told = answer.json()
                seal = told.get("token") if isinstance(told, dict) else None
                if not isinstance(seal, str) or not (seal.isascii() and seal.isalnum()):
                    raise ActionFailed(f"{answer.where} {STRANGE}")
                self._seal = seal
            return self._seal


def identity(told: Mapping[str, Any]) -> str:
    """Return the id of what is told of; it becomes part of a path. Raises ActionFailed where it is none."""
    try:
        return str(UUID(str(told.get("id"))))
    except ValueError:
        raise ActionFailed(f"Prefect {STRANGE} It tells of something without an id.") from None


def _read(answer: Answer) -> Answer:
    if _in_trouble(answer):
        raise Unanswered(f"{answer.where} answered {answer.status}.")
    return _let_in(answer)


def _let_in(answer: Answer) -> Answer:
    if answer.status in (REFUSED, FORBIDDEN):
        raise ActionFailed(
            f"Prefect does not allow this ({answer.status}); compare `username` and `password` or `api_key` of the connector, "
            "and what they may do there."
        )
    return answer


def _in_trouble(answer: Answer) -> bool:
    return answer.status == TOO_MANY or answer.status >= SERVER_ERROR
