"""The command `drift`: two files, no set-up, no database."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.cli import paper
from bot.cli.front import LOOK, Json
from bot.core.errors import ConfigError
from bot.core.findings import Verdict
from bot.core.words import between, number

EXIT = {Verdict.HEALTHY: 0, Verdict.WARNING: 1, Verdict.CRITICAL: 1, Verdict.UNKNOWN: 3}
STDOUT = "-"
Row = Mapping[str, Any]

Reference = Annotated[Path, typer.Argument(help="A Parquet or CSV file, or a folder of them: what is normal.")]
Current = Annotated[Path, typer.Argument(help="The same: what is now.")]
Checks = Annotated[
    list[str] | None,
    typer.Option("--checks", help="Only these, e.g. ks,psi: ks wasserstein wasserstein_normed jensen_shannon hellinger psi chi2 "
                 "cramers_v total_variation l_infinity."),
]  # fmt: skip
Every = Annotated[bool, typer.Option("--all", help="Every check that applies to a column's kind.")]
Exact = Annotated[bool, typer.Option("--exact", help="No intervals, however large the files are.")]
Html = Annotated[str, typer.Option("--html", help="Write a page that stands alone to this file; - is standard output.")]


def register(app: typer.Typer) -> None:
    """Add it to the shell."""
    app.command(rich_help_panel=LOOK)(drift)


def drift(
    reference: Reference,
    current: Current,
    *,
    checks: Checks = None,
    every: Every = False,
    exact: Exact = False,
    html: Html = "",
    as_json: Json = False,
) -> None:
    """Compare two Parquet or CSV files, column by column, without any set-up.

    Exit 0 when nothing moved, 1 when something did, 3 unknown.
    """
    if html == STDOUT and as_json:
        raise ConfigError("--json and --html - both write to standard output; give --html a file.")
    from bot.sources.compare import compare_tables  # noqa: PLC0415  `aiops --help` must not wait for Arrow
    from bot.thrift import be_thrifty  # noqa: PLC0415

    be_thrifty()
    found = compare_tables(reference, current, checks=checks or (), every=every, exact=exact, pictures=bool(html))
    if html:
        from bot.render.page import drift_page  # noqa: PLC0415
        from bot.sources.compare.measures import MEASURES  # noqa: PLC0415

        labels = {name: measure.label for name, measure in MEASURES.items()}
        names = {"reference": reference.name, "current": current.name}
        written(html, drift_page(found.told, found.pictures, names, labels))
    if as_json:
        paper.dump(found.told)
    elif html != STDOUT:
        shown(found.told, reference.name, current.name)
        if html:
            paper.say(f"The page is in {html}.")
    raise typer.Exit(EXIT[Verdict(found.told["verdict"])])


def written(place: str, page: str) -> None:
    """Write a page to a file or to standard output."""
    if place == STDOUT:
        sys.stdout.write(page)
    else:
        Path(place).write_text(page, encoding="utf-8")


def shown(told: Row, reference: str, current: str) -> None:
    """Print a comparison for people: the one sentence, then every measurement, the worst first."""
    paper.say(told["headline"], "bold")
    title = f"{reference} ({told['reference']['rows']:,} rows) → {current} ({told['current']['rows']:,} rows)"
    paper.table(("verdict", "measure", "value", "why"), rows(told), title=title, empty="The files have no column in common.")
    if told["left_out"]:
        paper.say("Left out: " + ", ".join(f"{column['feature']} ({column['reason']})" for column in told["left_out"]))


def rows(told: Row) -> list[tuple[object, ...]]:
    """Return findings in their order, then what is healthy or unknown."""
    from bot.sources.compare.headline import label  # noqa: PLC0415

    measured = {(m["check"], f["feature"]): (f, m) for f in told["features"] for m in f["measurements"]}
    first = [(f["check"], f["feature"]) for f in told["findings"]]
    out: list[tuple[object, ...]] = []
    for finding in told["findings"]:
        name = f"{label(finding['check'])} · {finding['feature']}"
        feature, m = measured.get((finding["check"], finding["feature"]), ({}, finding))
        value = "" if finding["check"] in ("schema", "missing") else number(m["value"])
        out.append((finding["verdict"], name, value, "; ".join(why(feature, m)) or finding["reason"]))
    rest = [
        (m["verdict"], f"{label(check)} · {name}", number(m["value"]), "; ".join(why(feature, m)))
        for (check, name), (feature, m) in measured.items()
        if (check, name) not in first
    ]
    return sorted((*out, *rest), key=lambda row: -Verdict(str(row[0])).rank)


def why(feature: Row, measurement: Row) -> Iterator[str]:
    """Yield what a value is judged by."""
    if "measurements" not in feature:
        return
    if measurement.get("threshold") is not None:
        yield f"line {number(measurement['threshold'])}"
    if "interval" in measurement:
        yield f"certainly in {between(measurement['interval'][0], measurement['interval'][1], '')}"
    if measurement.get("p_value") is not None:
        yield f"p {measurement['p_value']:.2g}" if measurement["p_value"] >= 1e-9 else "p < 1e-9"
    if measurement.get("reason"):
        yield measurement["reason"]
    missing = feature["missing"]
    if missing["reference"] != missing["current"]:
        yield f"missing {missing['reference']:.1%} → {missing['current']:.1%}"
