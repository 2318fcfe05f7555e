"""`workspaces/NAME/workspace.yaml`: one team's tasks and members."""

from __future__ import annotations

from dataclasses import dataclass, field

from retrofill.domain.catalog.definitions import Workspace
from retrofill.project.code import CodeFiles
from retrofill.project.deployment import Deployment, check_timezone
from retrofill.project.including import read_included
from retrofill.project.models import TaskShape, WorkspaceShape
from retrofill.project.problems import Report
from retrofill.project.task_keys import WorkspaceContext
from retrofill.project.tasks import ReadTask, TaskReader
from retrofill.project.validation import check_names, read_shape
from retrofill.project.yaml_nodes import Node


@dataclass(frozen=True, slots=True)
class ReadWorkspace:
    """A workspace and its tasks by full name, those with problems included."""

    workspace: Workspace
    tasks: dict[str, ReadTask] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)  # of the files that it includes, by SHA-256


def read_workspace(
    folder: str, path: str, node: Node, deployment: Deployment, code_files: CodeFiles, report: Report
) -> ReadWorkspace:
    """Check a workspace's file (CAT-4) and read it.

    Args:
        folder: the name of the workspace's folder, which the file must name too.
        path: the file's.
        node: the file's root.
    """
    shape = read_shape(WorkspaceShape, node, path, report)
    named = node.find("workspace")
    if named is None:
        report.add(path, node.place, 'the file has no "workspace"', f"write workspace: {folder}")
    elif shape.workspace is not None and shape.workspace != folder:
        message = f'"workspace" is "{shape.workspace}", and the folder is "{folder}"'
        report.add(path, named.place, message, "give both the same name")
    check_names(node.find("members"), "member", path, report)
    check_names(node.find("tasks"), "task", path, report, reserved=("self",))
    check_timezone(shape.timezone, node, path, report)
    members = node.find("members")
    around = WorkspaceContext(
        workspace=folder,
        path=path,
        members=members.names() if members else (),
        deployment=deployment,
        defaults=shape.defaults or TaskShape.model_validate({}),
        defaults_node=node.find("defaults"),
        code_files=code_files,
        report=report,
    )
    included = read_included(code_files.root, folder, node.find("include"), shape.include or (), path, report)
    workspace = Workspace(
        folder,
        shape.timezone or deployment.timezone,
        shape.region or deployment.region,
        dict(shape.members or {}),
        tuple(shape.include or ()),
        tuple(included.files),
    )
    return ReadWorkspace(workspace, _tasks(shape, node, around), included.contents)


def _tasks(shape: WorkspaceShape, node: Node, around: WorkspaceContext) -> dict[str, ReadTask]:
    section = node.find("tasks")
    tasks: dict[str, ReadTask] = {}
    for name, (place, task_node) in (section.entries if section and section.entries else {}).items():
        task_shape = (shape.tasks or {}).get(name)
        full = f"{around.workspace}.{name}"
        if task_shape is None:  # not a mapping, and reported as that
            tasks[full] = ReadTask(None, ())
        else:
            tasks[full] = TaskReader(name, place, task_shape, task_node, around).read()
    return tasks
