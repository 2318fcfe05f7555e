"""Every code that a finding can have: its level, what it means, and what to do about it (VER-2).

The reference page of findings is made from this table. Besides these, a backfill that cannot
be planned any more when it starts (SEL-4) carries the code of the error as a risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from retrofill.domain.texts import Step, Text


class Level(StrEnum):
    """VER-2; a risk stops the backfill unless its policy allows risks."""

    RISK = "risk"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class FindingCode:
    """What all findings of one code have in common; `hint` says what to do."""

    level: Level
    means: Text
    hint: Text


CODES: Mapping[str, FindingCode] = MappingProxyType(
    {
        "loop": FindingCode(
            Level.RISK,
            Text(
                "Instances wait for each other in a circle, though the graph of tasks has no loop: none of them can "
                "ever run, nor what waits for them."
            ),
            Text(
                "Change the schedules or the `cycle: previous` dependencies of the tasks in the path, or leave out one of "
                "their slots with {option.time_range}. With {option.allow_risks} the rest runs."
            ),
        ),
        "isolated": FindingCode(
            Level.RISK,
            Text(
                "An upstream task is part of the backfill, but the time range leaves none of the slots that an instance "
                "waits for: the instance can never run, nor what waits for it (DEP-11)."
            ),
            Text(
                "Widen {option.time_range}, or take the upstream out of the choice: what is not part of a backfill is not waited "
                "for. With {option.allow_risks} the rest runs."
            ),
        ),
        "order_conflict": FindingCode(
            Level.RISK,
            Text(
                "Bizdates run in descending order, against dependencies on the previous cycle, which are dropped (DEP-14)."
            ),
            Text(
                "Use {option.order=asc}, or add {option.allow_risks} if the previous cycle's output is right as it stands."
            ),
        ),
        "check_failed": FindingCode(
            Level.RISK,
            Text(
                "An extension check said no, or did not answer in time and in form; {option.allow_risks} does not help (VER-3)."
            ),
            Text(
                "Do what the check's message asks, or see that it can answer; then {reuse} asks again.",
                reuse=Step("backfill.create", reuse=None),
            ),
        ),
        "across_groups": FindingCode(
            Level.WARNING,
            Text(
                "Dependencies on the previous cycle lead from one group to another: these groups run one after the "
                "other (DEP-13)."
            ),
            Text(
                "Use fewer {option.groups}, or {option.across_groups=ignore} where the previous cycle's output is there already."
            ),
        ),
        "longer_cycle": FindingCode(
            Level.WARNING,
            Text(
                "A weekly, monthly or yearly task reads the dates since it ran before, and groups or a descending order let "
                "some of those run later: it may be computed from only a part of them."
            ),
            Text(
                "Use {option.order=asc} without {option.groups}; or leave the task out, and run it in a backfill of its "
                "own when its dates are there."
            ),
        ),
        "later_dates": FindingCode(
            Level.WARNING,
            Text(
                "Later dates of a task that depends on its own previous cycle, or the weeks, months and years that hold a "
                "bizdate, were computed from what the backfill rewrites, and are not part of it."
            ),
            Text(
                "Let {option.bizdate} reach to the last of them and choose these tasks too, or run them afterwards, in order of "
                "bizdates."
            ),
        ),
        "nothing_runs": FindingCode(
            Level.WARNING,
            Text(
                "No instance of a chosen task really runs: off days, dry runs by its mode, or no instance at all (SEL-6)."
            ),
            Text(
                "Choose the bizdate before a date on which its schedule matches, widen {option.time_range}, or leave "
                "the task out."
            ),
        ),
        "ended_quotes": FindingCode(
            Level.WARNING,
            Text(
                "A parameter that the backfill sets stands in quotes or in a comment of a task's SQL, and its value ends "
                "them: the rest of the value runs as SQL (PAR-5)."
            ),
            Text(
                "Write `${name:quoted}` without quotes around it in the task's SQL, which takes any value; or set another value."
            ),
        ),
        "unset_secret": FindingCode(
            Level.WARNING,
            Text(
                "A task that runs, or its connection, names a secret that is not set where the plan was made; a scheduler in "
                "another environment may have it (SEC-3)."
            ),
            Text(
                "Set RETROFILL_SECRET_ followed by its name in the environment of the scheduler, or of {wait}, or write "
                "it into the file that the setting `secrets` names; mend that file where it is refused.",
                wait=Step("backfill.create", wait=True),
            ),
        ),
        "missing_connection": FindingCode(
            Level.WARNING,
            Text(
                "The connection of a sql task that runs is not declared, or what it needs is not installed."
            ),
            Text(
                "Declare it under `connections` in retrofill.yaml, or install the package, where the scheduler runs."
            ),
        ),
        "missing_interpreter": FindingCode(
            Level.WARNING,
            Text(
                "The program that runs the code of a task is not there: `shell`, the first line `#!`, or the setting `python`."
            ),
            Text("Install it where the scheduler runs, or name another one."),
        ),
        "frozen": FindingCode(
            Level.WARNING,
            Text(
                "Tasks are frozen, by `mode: paused` or by command, so their instances are made Frozen and hold up what "
                "depends on them (CAT-8, AUTO-4)."
            ),
            Text(
                "Unfreeze the task first ({task.unfreeze}, or its `mode`), {option.exclude} it, or unfreeze its "
                "instances later with {instance.unfreeze}."
            ),
        ),
        "auto_conflict": FindingCode(
            Level.WARNING,
            Text("Auto triggered instances of the same tasks run now or are due; they go first (RUN-5)."),
            Text(
                "Nothing, if waiting is fine; else wait until they have ended, or choose a {option.window}."
            ),
        ),
        "same_partition": FindingCode(
            Level.WARNING,
            Text(
                "Another unfinished backfill, or a night of the schedule, holds the same tasks and times: one instance at a "
                "time writes a partition, and the last one stays (RUN-7)."
            ),
            Text(
                "Nothing, if that is meant; else leave out what the other one has ({option.exclude}, other bizdates), or stop it "
                "with {backfill.stop}."
            ),
        ),
        "no_permission": FindingCode(
            Level.WARNING,
            Text(
                "The selection leads to tasks that you may not backfill; they are left out or become dry runs (SEL-7)."
            ),
            Text(
                "Ask an administrator of those workspaces for the role operator, or make sure that the left-out output "
                "is right as it stands."
            ),
        ),
        "dry_run": FindingCode(
            Level.WARNING,
            Text(
                "A task between tasks that run is a dry run: what lies below it reads output that was not made anew (SEL-6)."
            ),
            Text("Make sure that its output is right as it stands, or choose the task too."),
        ),
        "empty_workspace": FindingCode(
            Level.WARNING,
            Text("A chosen workspace holds no descendant of the root (SEL-3)."),
            Text(
                "Check the workspace's name, or leave it out; {option.include} adds tasks that are no descendants."
            ),
        ),
        "changed": FindingCode(
            Level.WARNING,
            Text(
                "The tasks are not those that the backfill was planned with, because it started later (SEL-4)."
            ),
            Text("Look at the analysis; {backfill.stop} stops it if the change is not wanted."),
        ),
        "check_warned": FindingCode(
            Level.WARNING,
            Text("An extension check has a warning; the backfill runs (VER-3)."),
            Text("Read the check's message."),
        ),
        "across_groups_ignored": FindingCode(
            Level.INFO,
            Text("Waits between groups are dropped, as asked for (DEP-13)."),
            Text(
                "Nothing, if the previous cycle's output is there already; else use {option.across_groups=wait}."
            ),
        ),
        "outside_validity": FindingCode(
            Level.INFO,
            Text(
                "Tasks are outside their validity period on some bizdates; no instances are made there, and what depends on "
                "them does not wait (TIME-4, DEP-11)."
            ),
            Text("Nothing, if that is meant; else change `valid` of the task or the bizdates."),
        ),
        "outside_time_range": FindingCode(
            Level.INFO,
            Text(
                "Tasks have no scheduled time within {option.time_range}; no instances are made of them (POL-3)."
            ),
            Text("Nothing, if that is meant; else widen {option.time_range}."),
        ),
        "resource_group_fallback": FindingCode(
            Level.INFO,
            Text(
                "The asked-for resource group is not bound to a task's workspace, so the task keeps its own (POL-10)."
            ),
            Text("Nothing, if that is meant; else bind the group to the workspace in retrofill.yaml."),
        ),
        "large_request": FindingCode(
            Level.INFO,
            Text("Many instances share few slots, so that the backfill keeps them busy for long."),
            Text(
                "Split the bizdates, use a {option.window} or a {option.resource_group} with more slots, if others need these."
            ),
        ),
        "future": FindingCode(
            Level.INFO,
            Text("Bizdates lie ahead; their instances wait (POL-2)."),
            Text(
                "Nothing, if that is meant; {option.run_future} lets them run as soon as the bizdate has elapsed."
            ),
        ),
    }
)
