"""The command `estimate`: performance without labels, of any two files of predictions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import paper
from bot.cli.front import LOOK, Json
from bot.core.errors import ConfigError
from bot.core.findings import Verdict
from bot.core.words import between, number, plain

EXIT = {Verdict.HEALTHY: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 1, Verdict.UNKNOWN: 3}
TASKS = ("binary", "multiclass", "regression")
SHOWN = {"binary": ("roc_auc", "f1"), "multiclass": ("roc_auc", "accuracy"), "regression": ("mae", "rmse")}
"""What the table shows of each chunk; --json has every metric."""


def register(app: typer.Typer) -> None:
    """Add it to the shell."""
    app.command(rich_help_panel=LOOK)(estimate)


def estimate(
    reference: Annotated[Path, typer.Argument(help="A Parquet or CSV file with labels: what is normal.")],
    current: Annotated[Path, typer.Argument(help="A Parquet or CSV file: what is now; labels may be missing.")],
    *,
    task: Annotated[str, typer.Option(help="binary, multiclass or regression.")] = "binary",
    label: Annotated[str, typer.Option(help="The column that says what came true.")],
    score: Annotated[
        list[str] | None,
        typer.Option(
            help="The column of the score, 0 to 1; of several classes once each, as CLASS=COLUMN; of a regression its value."
        ),
    ] = None,
    prediction: Annotated[str, typer.Option(help="The column of the chosen class, or of the predicted number.")] = "",
    threshold: Annotated[float, typer.Option(help="Without --prediction: from this score on a row is called true.")] = 0.5,
    positive: Annotated[str, typer.Option(help="The label that counts as true, where labels are words.")] = "",
    chunk_size: Annotated[int | None, typer.Option(min=1, help="Rows of a chunk; ten chunks without it.")] = None,
    time: Annotated[str, typer.Option(help="The column to order rows by; without it as they lie in the file.")] = "",
    as_json: Json = False,
) -> None:
    """Estimate how well a model does where no label has come yet, chunk by chunk.

    Classes by CBPE, numbers by DLE, with ± 3 sampling errors, beside the realised metrics. Blind to concept drift: where the same
    inputs now have other outcomes, only labels can tell. A chunk is bad when a whole band lies beyond mean ± 3 sd of the
    reference's chunks of that size. Exit 0 healthy, 1 bad, 3 unknown.
    """
    from bot.sources.estimate import estimate_tables  # noqa: PLC0415
    from bot.sources.predictions import Asked  # noqa: PLC0415

    asked = Asked(kind_of(task, score or []), label, tuple(score or ()), prediction, threshold, positive, time, chunk_size)
    told = estimate_tables(reference, current, asked)
    if as_json:
        paper.dump(told)
    else:
        show(told, f"{reference.name} ({told['reference']['rows']:,} rows) → {current.name} ({told['current']['rows']:,} rows)")
    raise typer.Exit(EXIT[Verdict(told["verdict"])])


def kind_of(task: str, scores: list[str]) -> str:
    """Return the task by its own name; "classification" is one of two classes, or of as many as there are scores.

    Raises:
        ConfigError: there is no such task.
    """
    if task == "classification":
        return "multiclass" if len(scores) > 1 else "binary"
    if task not in TASKS:
        raise ConfigError(f"There is no task '{task[:40]}'; use --task {', '.join(TASKS)}.")
    return task


def show(told: Mapping[str, Any], title: str) -> None:
    """Print the chunks as people read them."""
    headers = ("verdict", "chunk", "rows", "metric", "estimated", "realised", "usual", "why")
    rows = [row for chunk in told["chunks"] for row in chunk_rows(chunk, SHOWN[told["task"]])]
    paper.table(headers, rows, title=title, empty="The current file has no rows: unknown.")
    for note in told["notes"]:
        paper.say(note)
    paper.say(f"{told['verdict']}; --json has every metric.")


def chunk_rows(chunk: Mapping[str, Any], metrics: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    """Yield a chunk's lines, one a metric."""
    for place, name in enumerate(metrics):
        band, lines = chunk["estimated"].get(name), chunk["thresholds"].get(name)
        expected = f"{number(band['value'])} {between(band['lower'], band['upper'], '')}" if band else "–"
        usual = between(lines["lower"], lines["upper"], "") if lines else "–"
        when = f" from {chunk['first'][:16].replace('T', ' ')}" if "first" in chunk else ""
        known = number(chunk["realized"].get(name))
        head = (chunk["verdict"], f"{chunk['index']}{when}", f"{chunk['rows']:,}") if not place else ("", "", "")
        yield (*head, plain(name), expected, known, usual, chunk["reason"] if not place else "")
