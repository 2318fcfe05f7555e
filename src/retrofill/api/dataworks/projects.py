"""Projects and resource groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from retrofill.api.dataworks import words
from retrofill.api.dataworks.asked import PAGING, SORT, Asked, without_none
from retrofill.api.dataworks.errors import invalid
from retrofill.api.dataworks.fields import Field, documents, ids, names, text, whole, yes_no

if TYPE_CHECKING:
    from retrofill.services.reading.documents import GroupRow, WorkspaceRow

_SWITCHES = ("DevEnvironmentEnabled", "DevRoleDisabled", "PaiTaskEnabled")  # of which no project has any
_NOT_OURS = ("AliyunResourceGroupId", "AliyunResourceTags", "PaymentType")  # nothing of ours fits these
LIST_PROJECTS = (
    Field("AliyunResourceGroupId", text),
    Field("AliyunResourceTags", documents),
    *(Field(name, yes_no) for name in _SWITCHES),
    Field("Ids", ids),
    Field("Names", names),
    Field("Status", text),
    *PAGING,
)
GET_PROJECT = (Field("Id", whole, True),)
LIST_GROUPS = (
    Field("AliyunResourceGroupId", text),
    Field("AliyunResourceTags", documents),
    Field("Name", text),
    Field("PaymentType", text),
    Field("ProjectId", whole),
    Field("ResourceGroupTypes", names),
    Field("Statuses", names),
    SORT,
    *PAGING,
)
_SORTS = ("Id", "Name", "Remark", "Type", "Status", "Spec", "CreateUser", "CreateTime")


def list_projects(asked: Asked) -> dict[str, Any]:
    """ListProjects."""
    fits_none = (
        bool(asked.fields.given(*_NOT_OURS[:2]))
        or asked["Status"] not in (None, "Available")
        or any(asked[name] for name in _SWITCHES)
    )
    found = [
        _project(one)
        for one in asked.projects
        if not fits_none
        and (not asked["Ids"] or one["id"] in asked["Ids"])
        and (not asked["Names"] or one["workspace"] in asked["Names"])
    ]
    return asked.cut("Projects", found)


def get_project(asked: Asked) -> dict[str, Any]:
    """GetProject."""
    name = asked.project("Id")
    (found,) = (one for one in asked.projects if one["workspace"] == name)
    return {"Project": _project(found)}


def _project(row: WorkspaceRow) -> dict[str, Any]:
    return without_none(
        Id=row["id"],
        Name=row["workspace"],
        DisplayName=row["workspace"],
        Owner=next((name for name, role in row["members"].items() if role == "administrator"), None),
        Status="Available",
        **dict.fromkeys(_SWITCHES, False),
    )


def list_resource_groups(asked: Asked) -> dict[str, Any]:
    """ListResourceGroups; a group's name is its id, and types that are left out mean all of them."""
    workspace = None if asked["ProjectId"] is None else asked.project()
    found = [
        _group(row)
        for row in asked.center.groups.list()
        if not asked.fields.given(*_NOT_OURS)
        and (workspace is None or row["workspaces"] is None or workspace in row["workspaces"])
        and (asked["Name"] or "").lower() in row["resource_group"].lower()
        and (not asked["ResourceGroupTypes"] or words.GROUP_TYPE[row["type"]] in asked["ResourceGroupTypes"])
        and (not asked["Statuses"] or "Normal" in asked["Statuses"])
    ]
    field, _, order = (asked["SortBy"] or "Id").partition(" ")
    if field not in _SORTS or order not in ("", "Asc", "Desc"):
        raise invalid("SortBy", f"SortBy is one of {', '.join(_SORTS)}, then Asc or Desc after a space")
    found.sort(key=lambda one: _sort_key(one, field), reverse=order == "Desc")
    return {**asked.cut("ResourceGroupList", found), "Success": True}


def _sort_key(group: dict[str, Any], field: str) -> tuple[Any, str]:
    """By a field, where groups have it; by name where they do not, or where it is the same."""
    value = group["Spec"]["Amount"] if field == "Spec" else group.get(_KEYS.get(field, field), "")
    return value, group["Name"]


_KEYS = {"Type": "ResourceGroupType"}


def _group(row: GroupRow) -> dict[str, Any]:
    return {
        "Id": row["resource_group"],
        "Name": row["resource_group"],
        "ResourceGroupType": words.GROUP_TYPE[row["type"]],
        "Status": "Normal",
        "Spec": {"Amount": row["slots"], "Standard": "slot"},
        "Remark": row["type"],
    }
