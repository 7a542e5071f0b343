"""Prometheus, and whatever speaks its query API: a model's operational numbers, asked for one window at a time, read only.

A query must come down to one series: several would have to be added, averaged or chosen among, and only its author knows which.
Each point of the answer tells of the step before it, so the points of a window `[start, end)` stand at the ends of its steps. What
a server answers and what is made of it: an unknown metric is a success with an empty list, 0/0 is the text "NaN" and 1/0 "+Inf"
(left out, and said where nothing else is there), a warning stands beside an answer that is not whole (which is then none).
"""

import math
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NoReturn

import numpy as np
from pydantic import Field

from bot import validation
from bot.core.errors import ActionFailed, AiopsError, ConfigError, SourceUnavailable
from bot.core.metrics import Series
from bot.core.models import Model
from bot.core.ports import SourceKind
from bot.core.windows import Window
from bot.core.words import quoted
from bot.http import Allowed, Answer, Http, Unanswered, Unreached
from bot.validation import Part

MOST_POINTS, LEAST_POINTS = 300, 20
SCRAPE_S = 15.0
"""Closer points would mostly say the same sample again; of short windows they have to be closer nevertheless."""

REST_S = 30.0
MOST_WORDS = 160

HeaderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,100}$")]
HeaderValue = Annotated[str, Field(pattern=r"^[ -~]{1,4000}$")]


class Options(Part):
    """The section of `aiops.yaml`."""

    url: str = Field(min_length=1)
    timeout: float = Field(default=5.0, gt=0, le=60)
    token: str = Field(default="", pattern=r"^[!-~]{0,8000}$")
    headers: dict[HeaderName, HeaderValue] = Field(default_factory=dict)


class Prometheus:
    """Implements `Meter`. It is a `Source` only to say that it is no prediction log."""

    name = "prometheus"

    def __init__(self, options: Options, *, now: Callable[[], float] = time.monotonic) -> None:
        self._url = options.url.rstrip("/") + "/api/v1/query_range"
        self._patience_s, self._now = 2 * options.timeout, now
        self._rest_until, self._why = float("-inf"), ""
        self._http = Http(Allowed.of(options.url), deadline_s=options.timeout)
        self._headers = {**options.headers, **({"authorization": f"Bearer {options.token}"} if options.token else {})}

    def series(self, queries: Mapping[str, str], window: Window) -> Mapping[str, Series]:
        """Ask every query over a window (see `bot.core.ports.Meter`).

        A server that is gone or hangs is left alone for REST_S seconds: the other models that it knows would wait for it in turn.
        """
        until = self._now() + self._patience_s
        return {name: self._asked(query, window, until) for name, query in queries.items()}

    def _asked(self, query: str, window: Window, until: float) -> Series:
        if self._now() < self._rest_until:
            return Series(trouble=self._why)
        if self._now() > until:
            return Series(trouble="Prometheus was too slow to be asked this as well.")
        try:
            return self._told(query, window)
        except AiopsError as reason:
            if isinstance(reason, Unreached) or (isinstance(reason, Unanswered) and self._now() > until):
                self._rest_until, self._why = self._now() + REST_S, str(reason)
            return Series(trouble=str(reason))

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def reading(self, model: Model, *_: object, **__: object) -> NoReturn:
        """Refuse: there are no predictions here."""
        words = f"name the log of {model.name} as its source, and this one as the source of its metrics"
        raise SourceUnavailable(f"A Prometheus holds numbers, no predictions: {words}.")

    def sample(self, model: Model, *_: object, **__: object) -> NoReturn:
        """Refuse, as `reading` does."""
        self.reading(model)

    def _told(self, query: str, window: Window) -> Series:
        points, step_ms = grid(window)
        end_ms = round(window.end.timestamp() * 1_000) - 1  # what is sampled at the end itself is the next window's
        asked = {
            "query": query,
            "start": f"{(end_ms - (points - 1) * step_ms) / 1_000:.3f}",
            "end": f"{end_ms / 1_000:.3f}",
            "step": f"{step_ms / 1_000:.3f}",
        }
        return series_of(self._http.get(self._url, params=asked, headers=self._headers), points)


def grid(window: Window) -> tuple[int, int]:
    """Return how many points a window is asked for, at most MOST_POINTS, and the milliseconds between two of them."""
    length_s = window.length.total_seconds()
    step_s = max(length_s / MOST_POINTS, min(SCRAPE_S, length_s / LEAST_POINTS))
    step_ms = max(1, math.ceil(round(step_s * 1_000, 3)))
    return max(1, int(length_s * 1_000 / step_ms)), step_ms


def series_of(answer: Answer, points: int) -> Series:
    """Return the one series of an answer to `points` points.

    Raises:
        ActionFailed: it has none, several, or is no answer at all; one sentence.
    """
    said = _said(answer)
    data = said.get("data")
    result = data.get("result") if isinstance(data, dict) and data.get("resultType") == "matrix" else None
    if not isinstance(result, list):
        raise ActionFailed(f"{answer.where} does not answer as a Prometheus does; is its url right?")
    if said.get("warnings"):
        raise ActionFailed(f"Prometheus warns that its answer is not whole: {_words(said['warnings'])}.")
    if not result:
        raise ActionFailed("Prometheus has no sample of this query in this window; is the metric spelt right, and scraped?")
    if len(result) > 1:
        raise ActionFailed(
            f"The query answers with {len(result):,} series, one of {_labels(result[0])}: make it one by sum(), avg() or max()."
        )
    return Series(_finite(result[0], points), points)


def _said(answer: Answer) -> Mapping[str, Any]:
    """Return the body of a success; a refusal in Prometheus' own words."""
    if answer.status in (401, 403):
        raise ActionFailed(f"{answer.where} wants other credentials ({answer.status}): see the source's token and headers.")
    if answer.status == 404:
        raise ActionFailed(f"{answer.where} is not there (404); is the source's url right?")
    try:
        said = answer.json()
    except ActionFailed:
        answer.checked()
        raise
    if not isinstance(said, dict):
        raise ActionFailed(f"{answer.where} does not answer as a Prometheus does; is its url right?")
    if said.get("status") == "error":
        busy = answer.status not in (400, 422)
        raise ActionFailed(f"Prometheus {'cannot answer now' if busy else 'refuses the query'}: {_words(said.get('error'))}.")
    answer.checked()
    return said


def _finite(series: Any, points: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the finite samples of a series, shape (n,)."""
    pairs = series.get("values") if isinstance(series, dict) else None
    if not isinstance(pairs, list) or not pairs:
        raise ActionFailed(
            "The query answers with something else than numbers (a native histogram?): make it one with histogram_quantile()."
        )
    try:
        values = np.array([float(value) for _, value in pairs[: 2 * points]], dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ActionFailed("The query answers with something that is no number.") from None
    finite = values[np.isfinite(values)]
    if not len(finite):
        raise ActionFailed(f"The query answers NaN or infinity at all {len(values)} points: is it divided by nothing?")
    return finite


def _labels(series: Any) -> str:
    """Return one series' labels as people know them, on one line."""
    metric = series.get("metric") if isinstance(series, dict) else None
    pairs = metric.items() if isinstance(metric, dict) else ()
    return quoted("{" + ", ".join(f"{name}={value}" for name, value in pairs) + "}", MOST_WORDS)


def _words(told: Any) -> str:
    """Return what the server says, on one line; it is not ours, so it stands in quotation marks."""
    return quoted("; ".join(map(str, told)) if isinstance(told, list) else str(told or "no reason given"), MOST_WORDS)


OPTIONS = {
    "url": "where it answers, e.g. https://prometheus.corp:9090 or https://mimir.corp/prometheus",
    "timeout": "seconds that one query may take, whole; 5 by default",
    "token": "a bearer token, named: ${env:PROMETHEUS_TOKEN} or ${file:…}",
    "headers": "more headers, e.g. {X-Scope-OrgID: ml}; secret ones named as well",
}


def make(options: Mapping[str, object]) -> Prometheus:
    """Build one from its options.

    Raises:
        ConfigError: an option is missing, unknown or wrong.
    """
    read = validation.options(options, Options, of="Source prometheus")
    if read.token and "authorization" in map(str.lower, read.headers):
        raise ConfigError("Source prometheus: give either a token or a header Authorization.")
    return Prometheus(read)


source = SourceKind("prometheus", make, OPTIONS, "a Prometheus server's numbers, for a model's `metrics`; no prediction log")
