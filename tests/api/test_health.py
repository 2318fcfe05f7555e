"""What machines ask: whether a server is alive, whether it is of use, and its numbers."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

from prometheus_client.parser import text_string_to_metric_families

import retrofill
from api.servers import Server
from retrofill.bootstrap.centers import Call
from retrofill.services.ports.records import HostRecord
from retrofill.services.running.tick_report import TickReport

PATIENCE = 60.0


def numbers(server: Server, user: str = "admin") -> dict[str, float]:
    """Samples by name and labels."""
    found = server.by(user).get("/metrics")
    assert found.status_code == 200, found.text
    families = text_string_to_metric_families(found.text)
    return {
        one.name + "".join(f" {value}" for value in one.labels.values()): one.value
        for family in families
        for one in family.samples
    }


def test_who_is_alive_says_so_to_everybody(server: Server) -> None:
    assert server.anybody.get("/healthz").json() == {"status": "ok"}


def test_ready_while_somebody_schedules(server: Server) -> None:
    """Without names: everybody may ask. A wait that starts backfills only is not enough."""
    leadership = server.deployment.leadership()

    def ready() -> tuple[int, dict[str, str]]:
        from fastapi.testclient import TestClient

        from retrofill.web.app import make_site

        found = TestClient(make_site(server.deployment)).get("/readyz")
        return found.status_code, found.json()

    assert ready() == (503, {"status": "not ready", "store": "ok", "scheduler": "no scheduler runs"})
    assert leadership.lead()
    assert ready()[1]["scheduler"] == "the scheduler that runs starts instances of backfills only"
    leadership.resign()
    assert leadership.lead(auto=True)
    assert ready() == (200, {"status": "ok", "store": "ok", "scheduler": "ok"})
    leadership.resign()


def test_not_ready_where_the_store_cannot_be_read(server: Server, tmp_path: Path) -> None:
    """Of what stands in the way nothing is told."""
    server.deployment.close()
    (server.deployment.folder.home / "retrofill.db").write_bytes(b"no database" * 1000)
    found = server.anybody.get("/readyz")
    assert found.status_code == 503
    assert found.json() == {"status": "not ready", "store": "the store cannot be read", "scheduler": "ok"}


def test_numbers_of_what_was_done(server: Server) -> None:
    """Starts and ends are counted as they happen, over several schedulers."""
    before = numbers(server)
    assert before["retrofill_starts_total"] == before["retrofill_leaders"] == 0
    center = server.center("admin")
    for _ in range(2):
        center.backfills.create(
            center.backfills.plan({"task": ("open.first",), "bizdate": ("2026-01-05..2026-01-07",)})
        )
        server.run()
    after = numbers(server)
    assert after["retrofill_starts_total"] == after["retrofill_ends_total successful"] == 6
    assert after["retrofill_ends_total failed"] == 0
    assert after["retrofill_tick_seconds_count"] >= 2
    assert after["retrofill_tick_seconds_sum"] > 0
    assert after["retrofill_last_tick_timestamp_seconds"] > 0
    assert after["retrofill_group_slots default"] == 4
    assert after["retrofill_group_waiting default"] == after["retrofill_outbox_age_seconds"] == 0


def test_numbers_of_who_leads_and_what_waits(server: Server) -> None:
    center = server.center("admin")
    center.backfills.create(center.backfills.plan({"task": ("open.first",), "bizdate": ("2026-01-05",)}))
    call = Call(server.deployment)
    go, led = Event(), Event()

    def observe(ticked: TickReport) -> bool:
        led.set()
        return go.wait(PATIENCE)

    def lead() -> None:
        assert call.leadership.lead(auto=True)
        call.engine.run(observe, auto=False, starts=False)
        call.leadership.resign()

    thread = Thread(target=lead)
    thread.start()
    assert led.wait(PATIENCE)
    found = numbers(server)
    go.set()
    thread.join(PATIENCE)
    assert found["retrofill_leaders"] == 1
    assert [value for name, value in found.items() if name.startswith("retrofill_leader ")] == [1]
    assert found["retrofill_group_waiting default"] == 1


def test_a_backfill_that_has_paused_can_be_alerted_on(server: Server) -> None:
    center = server.center("admin")
    held, ended = (server.create(bizdate=(day,)) for day in ("2026-01-05", "2026-01-06"))
    center.backfills.pause(held)
    found = numbers(server)
    assert found["retrofill_open_backfills paused"] == found["retrofill_open_backfills pending"] + 1 == 1
    assert found["retrofill_open_backfills waiting_resources"] == 1
    server.run(ended)
    assert numbers(server)["retrofill_open_backfills waiting_resources"] == 0
    assert found[f"retrofill_build_info {retrofill.__version__}"] == 1


def test_requests_are_counted_by_operation(server: Server) -> None:
    """By no address: who asks for many that are not there makes one label."""
    server.by("admin").get("/api/v1/backfills")
    server.by("admin").head("/api/v1/backfills")
    server.by("admin").get("/api/v1/backfills/99")
    for number in range(3):
        server.anybody.get(f"/api/v1/nothing/{number}")
    found = numbers(server)
    assert found["retrofill_http_requests_total backfills.list 200"] == 2
    assert found["retrofill_http_requests_total backfills.show 404"] == 1
    assert found["retrofill_http_requests_total other 404"] == 3
    assert found["retrofill_http_request_seconds_bucket +Inf backfills.list"] == 2
    assert found["retrofill_http_request_seconds_count backfills.list"] == 2
    assert found["retrofill_http_request_seconds_sum backfills.list"] > 0


def test_numbers_are_for_system_administrators(server: Server) -> None:
    """SEC-2: groups and machines are not everybody's business."""
    assert server.anybody.get("/metrics").status_code == 401
    assert server.by("alice").get("/metrics").status_code == 403
    assert server.by("admin").get("/metrics").headers["content-type"].startswith("text/plain")


def test_numbers_of_hosts_and_of_what_needs_somebody(server: Server) -> None:
    """RUN-9: a host that is not heard of, and a backfill that has failed, can be alerted on."""
    record = HostRecord("etl1-1", "etl1", "pull", '["default"]', 2, "0.1.0", "", 5)
    with server.deployment.store.transaction() as tx:
        tx.hosting.note(record)
    before = numbers(server)
    assert before["retrofill_failed_backfills"] == before["retrofill_failed_night_tasks"] == 0
    assert not [name for name in before if name.startswith("retrofill_host")], "nothing lives on what is lost"
    path = server.deployment.folder.directory / "workspaces" / "open" / "workspace.yaml"
    path.write_text(path.read_text().replace('run: "true"', 'run: "false"'))
    Call(server.deployment).center.versions.deploy()
    server.run(server.create(bizdate=("2026-01-05",)))
    assert numbers(server)["retrofill_failed_backfills"] == 1
