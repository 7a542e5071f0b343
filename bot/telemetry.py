"""What the bot says about itself: logs without secrets, numbers for Prometheus, and whether it is alive and ready.

configure_logging(as_json=True, secrets=[bot_token, app_token])
metrics = Metrics()
metrics.ask("aiops_engine_workflows", "Workflows by state.", "state", engine.counts)
app = health_app(metrics, alive=lambda: loop.alive, ready={"database": ask_the_database})
"""

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from structlog.typing import EventDict, Processor, WrappedLogger

log = logging.getLogger("bot.telemetry")

HIDDEN = "[hidden]"
SECRET_NAME = re.compile(r"(token|secret|passw(or)?d|api_?key|authorization|cookie|signature)$", re.IGNORECASE)
SECRET_SHAPES = (
    re.compile(r"\bxox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{8,}"),
    re.compile(r"\bxapp-[A-Za-z0-9-]{8,}"),
    re.compile(r"(?<=hooks\.slack\.com/)[A-Za-z0-9/_-]{8,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"(?<=://)[^/\s@]*:[^/\s@]+(?=@)"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
)
SHORTEST_SECRET = 6
BREAKS = {code: repr(chr(code))[1:-1] for code in (*range(32), 0x7F, 0x85, 0x2028, 0x2029) if code != ord("\t")}
"""Characters that would begin a line of their own, so that hostile text could write a log entry, and how they are shown."""


class Redactor:
    """Hides secrets by value, by the name of their field and by their shape, in anything nested."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted((s for s in secrets if len(s) >= SHORTEST_SECRET), key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        """Redact one log entry; only a traceback may span lines."""
        lines = {key: event[key] for key in ("exception", "stack") if isinstance(event.get(key), str)}
        cleaned = {key: self._value(key, value) for key, value in event.items()}
        return cleaned | {key: self.text(text) for key, text in lines.items()}

    def text(self, text: str) -> str:
        """Return the text without anything that is, or looks like, a secret."""
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for shape in SECRET_SHAPES:
            text = shape.sub(HIDDEN, text)
        return text

    def _value(self, name: str, value: object) -> object:
        if name.startswith("_"):  # structlog's own
            return value
        if SECRET_NAME.search(name) and value:
            return HIDDEN
        if isinstance(value, Mapping):
            return {self._line(str(key)): self._value(str(key), inner) for key, inner in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._value("", inner) for inner in value]
        return value if value is None or isinstance(value, bool | int | float) else self._line(str(value))

    def _line(self, text: str) -> str:
        return self.text(text).translate(BREAKS)


def configure_logging(
    *, as_json: bool, level: str = "INFO", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> logging.Handler:
    """Send every log of this process, the libraries' too, through one redacting handler; return it.

    One line of JSON an entry, or text for a person at a console. Replaces the handlers that were there.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    chain: list[Processor] = [
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        Redactor(secrets),
        last,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=chain, foreign_pre_chain=shared))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("httpx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # a tick that finds the last one at work is no news: ticks go by level
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    return handler


class _Asked(Collector):
    """A gauge that is asked for its values when somebody looks."""

    def __init__(self, name: str, words: str, label: str, ask: Callable[[], Mapping[str, float]]) -> None:
        self._name, self._words, self._label, self._ask = name, words, label, ask

    def describe(self) -> Iterable[Metric]:
        """Name it without asking."""
        return [GaugeMetricFamily(self._name, self._words, labels=[self._label])]

    def collect(self) -> Iterator[Metric]:
        """Ask; what cannot be told now is left out rather than failing the page."""
        family = GaugeMetricFamily(self._name, self._words, labels=[self._label])
        try:
            for value, number in self._ask().items():
                family.add_metric([value], number)
        except Exception as error:  # noqa: BLE001  # a database that is away must not take the other numbers with it
            log.warning("%s cannot be told now: %s", self._name, type(error).__name__)
        yield family


class Metrics:
    """The bot's own numbers; names end in their unit. Labels are from configuration, never from data."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        waits = (10, 30, 60, 300, 900, 3_600, 14_400)
        self.looks = Histogram("aiops_look_seconds", "Time one look at a shard took.", ["cadence"], registry=self.registry)
        self.last_look = Gauge("aiops_last_look_timestamp_seconds", "Last time measured.", ["model"], registry=self.registry)
        self.slack = Counter("aiops_slack_calls", "Calls of Slack's Web API.", ["outcome"], registry=self.registry)
        self.steps = Counter("aiops_steps", "Steps of runs.", ["outcome"], registry=self.registry)
        self.decisions = Histogram("aiops_decision_seconds", "Proposal to decision.", registry=self.registry, buckets=waits)

    def ask(self, name: str, words: str, label: str, how: Callable[[], Mapping[str, float]]) -> None:
        """Add a gauge whose values by label are asked for at each scrape."""
        self.registry.register(_Asked(name, words, label, how))

    def page(self) -> bytes:
        """Return Prometheus' text format."""
        return generate_latest(self.registry)


def health_routes(metrics: Metrics, *, alive: Callable[[], bool], ready: Mapping[str, Callable[[], str]]) -> Sequence[Route]:
    """Return /healthz, /readyz and /metrics.

    `alive` says whether the loops run; a restart helps when not. Each of `ready` returns empty text, or one sentence saying what is
    missing; a restart does not help then. Answers are 200 or 503.
    """

    def healthz(_request: Request) -> Response:
        well = alive()
        return JSONResponse({"alive": well}, status_code=200 if well else 503)

    def readyz(_request: Request) -> Response:
        missing = {name: words for name, ask in ready.items() if (words := _asked(name, ask))}
        return JSONResponse({"ready": not missing, "missing": missing}, status_code=503 if missing else 200)

    def page(_request: Request) -> Response:
        return Response(metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", page)]


def health_app(metrics: Metrics, *, alive: Callable[[], bool], ready: Mapping[str, Callable[[], str]]) -> Starlette:
    """Return `health_routes` as an application of its own."""
    return Starlette(routes=list(health_routes(metrics, alive=alive, ready=ready)))


def _asked(name: str, ask: Callable[[], str]) -> str:
    try:
        return Redactor().text(ask())
    except Exception as error:
        log.warning("readiness of %s cannot be told", name, exc_info=error)
        return f"{name} cannot be asked ({type(error).__name__}); the log says why."
