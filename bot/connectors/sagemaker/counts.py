"""Invocations of an endpoint's variants, as CloudWatch counts them: by the minute, and minutes late."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from bot.connectors.sagemaker.calls import Told, told
from bot.connectors.sagemaker.places import Endpoint
from bot.core.actions import Json
from bot.core.errors import ActionFailed

MINUTE_S, HOUR_S = 60, 3_600
BY_MINUTES = timedelta(hours=12)
"""Further back whole hours are enough, and the most that CloudWatch keeps."""
PAGES = 50


class Row(Told):
    """One variant's numbers, a part of them."""

    id: str = Field(alias="Id")
    values: list[Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field([], alias="Values")
    status: str = Field("Complete", alias="StatusCode")


class Page(Told):
    """What GetMetricData tells."""

    rows: list[Row] = Field(alias="MetricDataResults")
    more: str | None = Field(None, alias="NextToken")


def invocations(ask: Callable[[Json], Mapping[str, Any]], seen: Endpoint, until: datetime) -> Mapping[str, int]:
    """Return how often each variant was invoked since the first whole minute after the endpoint's last change.

    Raises:
        ActionFailed: CloudWatch does not tell, or not all of it.
    """
    since = seen.counted_from
    period = MINUTE_S if until - since < BY_MINUTES else HOUR_S
    start = since if period == MINUTE_S else since.replace(minute=0)
    queries = {f"v{i}": variant.name for i, variant in enumerate(seen.variants)}
    if not queries:
        raise ActionFailed(f"The endpoint {seen.name} has no variants, so nothing counts its requests.")
    asked = {
        "MetricDataQueries": [_query(each, seen.name, variant, period) for each, variant in queries.items()],
        "StartTime": start,
        "EndTime": max(until, start + timedelta(minutes=1)),
    }
    counted = dict.fromkeys(queries, 0.0)
    for row in _rows(ask, asked):
        if row.id in counted:
            counted[row.id] += sum(row.values)
    return {queries[each]: round(n) for each, n in counted.items()}


def _query(each: str, endpoint: str, variant: str, period: int) -> Json:
    named = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}]
    metric = {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": named}
    return {"Id": each, "MetricStat": {"Metric": metric, "Period": period, "Stat": "Sum"}}


def _rows(ask: Callable[[Json], Mapping[str, Any]], asked: Json) -> Iterator[Row]:
    more: str | None = None
    for _ in range(PAGES):
        page = told(Page, ask({**asked, "NextToken": more} if more else asked), "GetMetricData")
        yield from page.rows
        more = page.more
        if not more:
            if any(row.status not in ("Complete", "PartialData") for row in page.rows):
                raise ActionFailed("CloudWatch could not count all of the endpoint's invocations; it is asked again later.")
            return
    raise ActionFailed(f"CloudWatch tells the endpoint's invocations in more than {PAGES} pages, which are not read to their end.")
