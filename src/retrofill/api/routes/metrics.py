"""Numbers for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fastapi import Request, Response

import retrofill
from retrofill.api.operations import Routes
from retrofill.api.requests import Asking
from retrofill.bootstrap.measuring import Measures, measure
from retrofill.bootstrap.tallies import OUTCOMES
from retrofill.domain.errors import NotPermittedError

if TYPE_CHECKING:
    from prometheus_client.core import Metric

    from retrofill.api.traffic import Traffic

routes = Routes("metrics")


@routes.get("", "server.metrics", str, media="text/plain")
def metrics(visit: Asking) -> Response:
    """Numbers of the scheduler and of this server, in the format of Prometheus; for system administrators."""
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    if not visit.call.actor.is_system_administrator:
        raise NotPermittedError("metrics are for system administrators", "Use a token of one, of scope read.")
    return Response(
        generate_latest(_Collected(measure(visit.call), visit.request)), media_type=CONTENT_TYPE_LATEST
    )


class _Collected:
    """All numbers of one moment, as the library asks for them."""

    def __init__(self, found: Measures, request: Request) -> None:
        self._found = found
        self._request = request

    def collect(self) -> Iterator[Metric]:
        from prometheus_client import ProcessCollector

        yield from _of_scheduler(self._found)
        yield from _of_groups(self._found)
        yield from _of_hosts(self._found)
        yield _of_backfills(self._found)
        yield from _of_failures(self._found)
        yield from _of_server(self._request)
        yield from _of_traffic(self._request.app.state.traffic)
        yield from ProcessCollector(registry=None).collect()


def _of_scheduler(found: Measures) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

    tallies, leader = found.tallies, found.leader
    yield CounterMetricFamily(
        "retrofill_starts", "Runs started by schedulers of this machine.", tallies.starts
    )
    ends = CounterMetricFamily(
        "retrofill_ends", "Runs that schedulers of this machine have seen to end.", labels=["outcome"]
    )
    for outcome, count in zip(OUTCOMES, tallies.ends, strict=True):
        ends.add_metric([outcome], count)
    yield ends
    ticks = SummaryMetricFamily(
        "retrofill_tick_seconds", "Transactions in which this machine's scheduler decides."
    )
    ticks.add_metric([], int(tallies.ticks), tallies.tick_seconds)
    yield ticks
    last = "When the scheduler of this machine has ticked last, in seconds since 1970; 0: never."
    yield GaugeMetricFamily("retrofill_last_tick_timestamp_seconds", last, tallies.ticked_at)
    leads = GaugeMetricFamily(
        "retrofill_leader", "1 while somebody schedules: who, and what.", labels=["host", "starts"]
    )
    if leader is not None:
        leads.add_metric([leader.host, "all" if leader.starts_auto else "backfills"], 1)
    yield leads
    yield GaugeMetricFamily("retrofill_leaders", "How many schedulers lead: 0 or 1.", int(leader is not None))
    outbox = "For how long an alert or webhook has been due that is not sent; 0 where none is."
    yield GaugeMetricFamily("retrofill_outbox_age_seconds", outbox, found.outbox_seconds)
    ready = "Since when nothing has started on this machine although an instance waits for resources; 0 where none waits."
    yield GaugeMetricFamily("retrofill_ready_age_seconds", ready, found.ready_seconds)


def _of_groups(found: Measures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    numbers = {
        "slots": "Slots of a resource group.",
        "running": "Instances that run in a resource group.",
        "waiting": "Instances that only lack a slot of a resource group.",
    }
    for name, words in numbers.items():
        family = GaugeMetricFamily(f"retrofill_group_{name}", words, labels=["resource_group"])
        for group in found.groups:
            family.add_metric([group["resource_group"]], group[name])  # type: ignore[literal-required]
        yield family


def _of_hosts(found: Measures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    offered = GaugeMetricFamily(
        "retrofill_group_offered",
        "Instances of a resource group that are offered to hosts and claimed by none.",
        labels=["resource_group"],
    )
    age = GaugeMetricFamily(
        "retrofill_offer_age_seconds",
        "For how long the oldest offer of a resource group waits for a host; 0 where none does.",
        labels=["resource_group"],
    )
    for group in found.groups:
        if group["hosts"] is not None:
            offered.add_metric([group["resource_group"]], group["offered"])
            age.add_metric([group["resource_group"]], found.offer_seconds.get(group["resource_group"], 0.0))
    yield from (offered, age)
    labels = ["host", "label", "executor"]
    heard = GaugeMetricFamily(
        "retrofill_host_heard", "1 where a host is heard of, 0 where it is unknown or lost.", labels=labels
    )
    running = GaugeMetricFamily("retrofill_host_running", "Runs that live on a host.", labels=labels)
    slots = GaugeMetricFamily("retrofill_host_slots", "Runs that a host carries out at most.", labels=labels)
    for host in found.hosts:
        values = [host["name"], host["label"], host["executor"]]
        heard.add_metric(values, int(host["state"] in ("there", "draining")))
        running.add_metric(values, host["running"])
        if host["slots"] is not None:
            slots.add_metric(values, host["slots"])
    yield from (heard, running, slots)


def _of_failures(found: Measures) -> Iterator[Metric]:
    from prometheus_client.core import GaugeMetricFamily

    words = (
        "Backfills that need somebody, because something of them failed or is in the way: open ones that nobody has "
        "stopped or paused, and those that have ended for two weeks at most."
    )
    yield GaugeMetricFamily("retrofill_failed_backfills", words, found.failed_backfills)
    nights = "Tasks that hold up nights of the last two weeks, because they failed or are in the way."
    yield GaugeMetricFamily("retrofill_failed_night_tasks", nights, found.failed_tasks)


def _of_backfills(found: Measures) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    words = "Backfills that have not ended, by status; one that has paused waits for somebody."
    family = GaugeMetricFamily("retrofill_open_backfills", words, labels=["status"])
    for status, count in found.open_backfills.items():
        family.add_metric([status], count)
    return family


def _of_traffic(traffic: Traffic) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    answers = CounterMetricFamily(
        "retrofill_http_requests",
        "Answers of this server by operation, as OpenAPI names it, and status; other: of no operation.",
        labels=["operation", "status"],
    )
    for (operation, status), count in list(traffic.answers.items()):
        answers.add_metric([operation, str(status)], count)
    yield answers
    soon = HistogramMetricFamily(
        "retrofill_http_request_seconds", "Until an answer began, by operation.", labels=["operation"]
    )
    for operation, buckets in traffic.buckets().items():
        soon.add_metric([operation], buckets, sum_value=traffic.seconds[operation])
    yield soon


def _of_server(request: Request) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    info = GaugeMetricFamily("retrofill_build_info", "1; what runs here.", labels=["version"])
    info.add_metric([retrofill.__version__], 1)
    yield info
    yield GaugeMetricFamily("retrofill_streams", "Open streams of events.", len(request.app.state.hub))
    state = getattr(request.app.state, "connections", None)
    if state is not None:
        yield GaugeMetricFamily(
            "retrofill_connections", "Open connections to this server.", len(state.connections)
        )
        requests = "Requests that this server has answered."
        yield CounterMetricFamily("retrofill_requests", requests, state.total_requests)
