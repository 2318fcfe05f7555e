"""From what somebody asks for to a backfill: the preview, what checks say of it, creating what was shown (VER-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, cast

from retrofill.domain.errors import NotPermittedError, WrongStateError
from retrofill.domain.texts import Text
from retrofill.domain.time.milliseconds import instant_of
from retrofill.services.operation_center.desk import Desk
from retrofill.services.people.access import unknown_backfill

if TYPE_CHECKING:
    from retrofill.domain.inputs import Given
    from retrofill.domain.people.roles import Actor
    from retrofill.domain.selection.ways import Selection
    from retrofill.services.backfills.backfill_rows import Noted
    from retrofill.services.operation_center.parts import Parts
    from retrofill.services.operation_center.previews import Preview
    from retrofill.services.ports import Ledger
    from retrofill.services.reading.documents import AlertObstacle, CheckRound, Finding


class BackfillPlans(Desk):
    def plan(self, given: Given, now: datetime | None = None) -> Preview:
        """What a backfill would do; creates nothing.

        Args:
            given: texts and switches by names of inputs, as `domain/selection/asking` and
                `domain/planning/options` list them, and `name`.
            now: as if it were that moment.

        Raises:
            UsageError, LimitError, UnknownNameError: what is asked for cannot be.
            NotPermittedError: a task that was named, or a parameter that is set, without the right to.
            ProjectError: the folder has errors.
        """
        from retrofill.domain.time.instants import local_date
        from retrofill.domain.time.milliseconds import ms_of
        from retrofill.services.backfills.estimates import PlanningFacts, gather_facts
        from retrofill.services.backfills.knowing import with_ledger, with_obstacles
        from retrofill.services.backfills.reading_requests import RequestReader, are_merged
        from retrofill.services.backfills.requests import make_plan
        from retrofill.services.operation_center.previews import Preview

        parts, now = self._parts, now or instant_of(self._parts.clock.now_ms())
        catalog = parts.folder.catalog
        today, rights = local_date(now, catalog.timezone), self._actor.rights(catalog)
        with self.view_if_deployed() as view:
            ids = {} if view is None else view.task_ids
            request = RequestReader(catalog, ids, rights, today, self._chosen_in).read(given)
            request = replace(request, policy=replace(request.policy, webhooks=parts.webhooks))
            facts = PlanningFacts() if view is None else gather_facts(view.reader, view.graphs, ms_of(now))
            planned = make_plan(catalog, request, parts.limits, now, facts, rights)
            planned = with_obstacles(planned, parts.known_of(catalog))
            if view is not None:
                planned = with_ledger(planned, view.reader, view.graphs, rights)
        notes = []
        if are_merged(given, request.policy, today):
            from retrofill.domain.words import names

            notes.append(f"Overlapping bizdates are merged: {names([*map(str, request.policy.ranges)])}.")
        return Preview(planned, self._actor.name, tuple(notes), parts.checks_of(catalog), now, ids, rights)

    def ask_checks(self, preview: Preview) -> CheckRound:
        """What extension checks say to a plan that is not stored (VER-3); waits for them."""
        from retrofill.domain.checks import all_pass, findings_of
        from retrofill.services.backfills.checks import ask_of_plan

        now_ms = self._parts.clock.now_ms()
        answers = ask_of_plan(preview.planned, preview.checks, self._actor.name, now_ms)
        return {
            "passed": all_pass(answers),
            "findings": cast("list[Finding]", [one.document() for one in findings_of(answers)]),
        }

    def alert_obstacles(self, preview: Preview) -> list[AlertObstacle]:
        """Why alerts that are asked for could not be sent as things are (POL-9)."""
        from retrofill.domain.alerts import WEBHOOK, methods

        policy = preview.planned.request.policy
        found: list[AlertObstacle] = []
        if policy.notify is not None and (reason := self._parts.poster().obstacle("")) is not None:
            found.append({"method": WEBHOOK, "reason": Text.of(reason)})
        alert = policy.alert
        if alert is None:
            return found
        from retrofill.services.alerts.delivery import why_not
        from retrofill.services.people.accounts import contact_of

        with self._parts.store.read() as reader:
            contact = contact_of(reader.people, self._actor.name)
        notifier = self._parts.notifier()
        reasons = {method: why_not(notifier, self._actor.name, contact, method) for method in methods(alert)}
        found += [
            {"method": method, "reason": reason} for method, reason in reasons.items() if reason is not None
        ]
        return found

    def create(self, preview: Preview, expected: str | None = None, comment: str = "") -> int:
        """Store a backfill as it was shown, all or nothing; its id. One that is refused is stored without instances.

        Waits for extension checks, if there are any (VER-3); an interrupt takes it all back.

        Args:
            expected: the digest of the plan that somebody has agreed to.
            comment: why; it is kept in the record.

        Raises:
            NotPermittedError: it was planned in the name of somebody else, with other rights.
            WrongStateError: what it is a plan of is not deployed.
            PlanChangedError: the plan is another one by now.
        """
        return store_backfill(
            self._parts, self._actor, preview, expected, noting(self._parts, self._actor, comment)
        )

    def _chosen_in(self, backfill_id: int) -> Selection:
        from retrofill.services.instances.stored import selection_of

        with self.view(unknown_backfill(backfill_id)) as view:
            return selection_of(view.access.get_backfill(backfill_id))


def noting(parts: Parts, actor: Actor, comment: str) -> Noted:
    """What writes down why, beside a new backfill."""

    def note(tx: Ledger, backfill_id: int) -> None:
        if comment:
            tx.record(parts.clock.now_ms(), actor.name, "comment", backfill_id, comment=comment)

    return note


def store_backfill(
    parts: Parts, actor: Actor, preview: Preview, expected: str | None = None, noted: Noted | None = None
) -> int:
    """What `BackfillPlans.create` does.

    Args:
        noted: what is written beside the backfill, in the transaction that adds it.
    """
    from retrofill.services.backfills.backfill_rows import PlanChangedError, nothing_noted
    from retrofill.services.backfills.creation import BackfillCreation

    if preview.user != actor.name:
        raise NotPermittedError("somebody else has planned this backfill", "Plan it in your own name.")
    version_id = parts.folder.version_id
    if version_id is None:
        if parts.deployed is None:
            raise WrongStateError(
                "nothing is deployed yet", Text("{project.deploy} publishes what is to be backfilled.")
            )
        raise WrongStateError(
            "the folder differs from what is deployed", Text("{project.deploy} publishes it.")
        )
    if preview.planned.plan.catalog is not parts.folder.catalog:
        raise PlanChangedError("the project was deployed anew since the plan was made")
    if expected is not None and expected != preview.digest:
        raise PlanChangedError("the plan is not what it was when it was shown")
    noted = noted or nothing_noted
    creation = BackfillCreation(parts.store, parts.graphs, parts.clock, parts.checks_of, noted)
    return creation.create(preview.planned, version_id, actor.name)
