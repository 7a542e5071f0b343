"""Pages that stand alone: one HTML file without a script, a font or a picture from anywhere, to be mailed, kept and printed.

Names of columns and levels are hostile: the template engine escapes everything, control and direction marks are taken out before,
and the page forbids its reader's browser to load or run anything.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bot.core.words import number, plain
from bot.render.hostile import LINE_BREAKS, UNPRINTABLE
from bot.render.renderer import packaged

RANK = {"critical": 0, "warning": 1, "unknown": 2, "healthy": 3}
LONGEST = 120
TALL, WIDE = 100.0, 600.0
"""The drawing's own units; the page stretches it."""

Json = Mapping[str, Any]


def drift_page(told: Json, pictures: Mapping[str, Json], files: Mapping[str, str], labels: Mapping[str, str]) -> str:
    """Return the page of a comparison.

    Args:
        told: what `aiops drift --json` prints.
        pictures: by column, both sides' shares a bar.
        files: the names of `reference` and `current`.
        labels: what people call each check.
    """
    features = [
        _feature(place, feature, pictures.get(feature["feature"]), labels) for place, feature in enumerate(told["features"])
    ]
    features.sort(key=lambda feature: (RANK[feature["verdict"]], -feature["reach"]))
    broken = [finding for finding in told["findings"] if finding["check"] in ("schema", "missing")]
    verdicts = [*(feature["verdict"] for feature in features), *(f["verdict"] for f in broken if f["check"] == "schema")]
    return (
        _room()
        .get_template("drift.html")
        .render(
            headline=shown(told["headline"], 1_000),
            verdict=told["verdict"],
            sides=[
                {"name": shown(files[side]), "rows": f"{told[side]['rows']:,}", "side": side} for side in ("reference", "current")
            ],
            counts=[(verdict, verdicts.count(verdict)) for verdict in RANK if verdict in verdicts],
            broken=[{"name": shown(f["feature"]), "verdict": f["verdict"], "reason": f["reason"]} for f in broken],
            moved=[feature for feature in features if feature["verdict"] in ("critical", "warning")],
            others=[feature for feature in features if feature["verdict"] not in ("critical", "warning")],
            features=features,
            left_out=[{"name": shown(column["feature"]), "reason": column["reason"]} for column in told["left_out"]],
        )
    )


def shown(text: object, longest: int = LONGEST) -> str:
    """Return text that looks like what it is, on one line, not longer than that."""
    clean = UNPRINTABLE.sub("�", LINE_BREAKS.sub(" ", str(text))).replace("\n", " ").replace("\t", " ")
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def _room() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=jinja2.FileSystemLoader(packaged()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _feature(place: int, feature: Json, picture: Json | None, labels: Mapping[str, str]) -> dict[str, Any]:
    rows = [_measurement(m, labels) for m in feature["measurements"]]
    # of χ² a reader sees only how many rows there are; Cramér's V beside it says how large
    telling = [row for row, m in zip(rows, feature["measurements"], strict=True) if m["check"] != "chi2"] or rows
    worst = min(telling, key=lambda row: (RANK[row["verdict"]], -row["times"]), default=None)
    return {
        "id": f"column-{place + 1}",
        "name": shown(feature["feature"]),
        "kind": feature["kind"],
        "verdict": feature["verdict"],
        "rows": rows,
        "worst": worst,
        "reach": worst["times"] if worst else 0.0,
        "gaps": list(_gaps(feature)),
        "picture": _picture(picture) if picture else None,
    }


def _gaps(feature: Json) -> Iterator[str]:
    for what in ("missing", "infinite"):
        then, now = (feature[what][side] for side in ("reference", "current")) if what in feature else (0, 0)
        if then or now:
            yield f"{what} {percent(then)} → {percent(now)}"


def _measurement(m: Json, labels: Mapping[str, str]) -> dict[str, Any]:
    line, value = m["threshold"], m["value"]
    finite = value is not None and math.isfinite(value)
    reached = line is not None and 0 < line < math.inf
    times = value / line if finite and reached else 0.0
    band = m.get("interval")
    return {
        "name": labels.get(m["check"]) or plain(m["check"]),
        "value": number(value) if finite else "–",
        "band": f"{number(band[0])} to {number(band[1])}" if band else "",
        "line": number(line) if reached else "–",
        "chance": "–" if m["p_value"] is None else "< 1e-9" if m["p_value"] < 1e-9 else f"{m['p_value']:.2g}",
        "verdict": m["verdict"],
        "reason": m.get("reason", ""),
        "times": times,
        "meter": f"{50 * min(times, 1) + 50 * min(math.log10(max(times, 1)), 1):.1f}",
    }


def percent(share: float) -> str:
    """Return a share in percent, as many digits as it deserves."""
    hundredth = share * 100
    return f"{hundredth:.0f} %" if hundredth >= 9.95 or hundredth == 0 else f"{hundredth:.1f} %" if hundredth >= 0.05 else "< 0.1 %"


def _picture(picture: Json) -> dict[str, Any]:
    return _levels(picture) if picture["kind"] == "categorical" else _numbers(picture)


def _levels(picture: Json) -> dict[str, Any]:
    bars = [{"name": shown(bar["level"], 60) or "(empty text)", "rest": False, **_both(bar)} for bar in picture["bars"]]
    rest = picture["rest"]
    if rest["levels"]:
        bars.append({"name": f"{rest['levels']:,} more", "rest": True, **_both(rest)})
    most = max((max(bar["shares"]) for bar in bars), default=0) or 1
    for bar in bars:
        bar["widths"] = [f"{100 * share / most:.2f}" for share in bar["shares"]]
    return {"kind": "categorical", "bars": bars}


def _both(bar: Json) -> dict[str, Any]:
    shares = (bar["reference"], bar["current"])
    return {"shares": shares, "texts": [percent(share) for share in shares]}


def _numbers(picture: Json) -> dict[str, Any]:
    inner = picture["bars"]
    ends = [(f"{number(bar['from'])} to {number(bar['to'])}", bar, False) for bar in inner]
    if inner and _seen(picture["below"]):
        ends.insert(0, (f"{number(inner[0]['from'])} and less", picture["below"], True))
    if inner and _seen(picture["above"]):
        ends.append((f"more than {number(inner[-1]['to'])}", picture["above"], True))
    most = max((max(bar["reference"], bar["current"]) for _, bar, _ in ends), default=0) or 1
    step = WIDE / max(len(ends), 1)
    bars = []
    for place, (where, bar, beyond) in enumerate(ends):
        for side, share in enumerate((bar["reference"], bar["current"])):
            tall = TALL * share / most
            bars.append(
                {
                    "side": ("reference", "current")[side],
                    "beyond": beyond,
                    "x": f"{step * (place + 0.08 + 0.43 * side):.2f}",
                    "y": f"{TALL - tall:.2f}",
                    "width": f"{step * 0.41:.2f}",
                    "height": f"{tall:.2f}",
                    "says": f"{where}: reference {percent(bar['reference'])}, current {percent(bar['current'])}",
                }
            )
    return {"kind": "numeric", "bars": bars, "axis": _axis(ends), "most": percent(most)}


def _seen(bar: Json) -> bool:
    return bool(max(bar["reference"], bar["current"]) >= 0.0005)


def _axis(ends: Sequence[tuple[str, Json, bool]]) -> list[str]:
    """Return what stands under the drawing: its start, its middle, its end; the open ends say so."""
    inner = [bar for _, bar, beyond in ends if not beyond]
    if not inner:
        return []
    low, high = inner[0]["from"], inner[-1]["to"]
    first = "≤ " if ends[0][2] else ""
    last = "> " if ends[-1][2] else ""
    return [f"{first}{number(low)}", number(low / 2 + high / 2), f"{last}{number(high)}"]
