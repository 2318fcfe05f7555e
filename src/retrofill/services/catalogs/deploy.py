"""Deploying catalogs, and finding tasks by what people type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from retrofill.domain.errors import UnknownNameError, UsageError, WrongStateError, did_you_mean, shown
from retrofill.domain.people.roles import Actor, check_deploy
from retrofill.domain.texts import Text

if TYPE_CHECKING:
    from retrofill.domain.catalog.definitions import Catalog
    from retrofill.services.ports import Ledger, Store


_NONE: Mapping[str, bytes] = MappingProxyType({})
_MOST_DIGITS = 20  # of an id that is told
_CONTENTS = 500  # of files, kept in one transaction


class DeployedMeanwhileError(WrongStateError):
    """Look at what a deploy would change now, then deploy that."""

    code = "deployed_meanwhile"


class AnotherProjectError(WrongStateError):
    """Look whether this is the deployment that is meant; where the project has a new name, say {option.rename_project}."""

    code = "another_project"


class LosesEverythingError(WrongStateError):
    """Look whether these are all files of the project; where it is meant, say `lose_everything`."""

    code = "loses_everything"


def check_meant(
    deployed: Catalog, catalog: Catalog, *, rename_project: bool = False, lose_everything: bool = False
) -> None:
    """Refuse what replaces a whole schedule by mistake: another project's files, or none (CAT-1).

    Args:
        rename_project: whether a project of another name is meant.
        lose_everything: whether it is meant that no workspace is left.

    Raises:
        AnotherProjectError: the deployed project is called otherwise.
        LosesEverythingError: what is deployed has workspaces, and this has none.
    """
    if catalog.project != deployed.project and not rename_project:
        raise AnotherProjectError(
            f'what is deployed is project "{shown(deployed.project)}", and this is project "{shown(catalog.project)}"'
        )
    if deployed.workspaces and not catalog.workspaces and not lose_everything:
        raise LosesEverythingError(
            "this holds no workspace, and what is deployed has some: all tasks would be gone"
        )


def deploy(
    store: Store,
    catalog: Catalog,
    actor: Actor,
    now_ms: int,
    contents: Mapping[str, bytes] = _NONE,
    *,
    owns_folder: bool = False,
    expected: int | None = None,
) -> tuple[int, bool]:
    """Publish a catalog: its version, and whether that is a new one (CAT-1).

    Args:
        contents: what the files hold that it includes, by SHA-256 (CAT-9).
        owns_folder: whether the actor can write the folder that is deployed, which permits it (SEC-4).
        expected: the version that was deployed when somebody looked at what this would change; 0: none.

    Raises:
        DeployedMeanwhileError: it is another one by now.
        NotPermittedError: a workspace changes of which the actor is no administrator.
    """
    _keep_contents(store, catalog, contents)
    from retrofill.services.catalogs import document as catalog_document

    document = catalog_document.dump(catalog)
    with store.transaction() as tx:
        before = tx.current_version_id()
        if not owns_folder:
            _check_deploy(tx, actor, catalog)
        version_id, is_new = _publish(tx, catalog, document, actor.name, now_ms)
        if is_new and expected not in (None, before or 0):
            since = f"since version {expected}" if expected else "since nothing was deployed"
            raise DeployedMeanwhileError(f"somebody has deployed version {before} {since}")
    store.wake()
    return version_id, is_new


def deploy_again(
    store: Store, version_id: int, actor: Actor, now_ms: int, *, owns_folder: bool = False
) -> tuple[int, bool]:
    """Publish an older version anew, as a version of its own: its number, and whether it is a new one (CAT-9).

    Raises:
        UnknownNameError: there is no such version.
    """
    from retrofill.services.catalogs import document as catalog_document

    with store.transaction() as tx:
        if tx.versions.find(version_id) is None:
            raise unknown_version(version_id)
        document = tx.version(version_id)
        catalog = catalog_document.load(document)
        if not owns_folder:
            _check_deploy(tx, actor, catalog)
        number, is_new = _publish(tx, catalog, document, actor.name, now_ms, version_id)
    store.wake()
    return number, is_new


def _check_deploy(tx: Ledger, actor: Actor, catalog: Catalog) -> None:
    from retrofill.services.catalogs import document as catalog_document

    current = tx.current_version()
    check_deploy(actor, None if current is None else catalog_document.load(current[1]), catalog)


def unknown_version(version_id: int) -> UnknownNameError:
    return UnknownNameError(f"there is no version {version_id}", Text("{version.list} lists them."))


def _publish(
    tx: Ledger, catalog: Catalog, document: str, user: str, now_ms: int, published_from: int | None = None
) -> tuple[int, bool]:
    current = tx.current_version()
    if current is not None and current[1] == document:
        return current[0], False
    version_id = tx.add_version(document, now_ms, user, len(catalog.tasks), published_from)
    tx.set_deployed("task", catalog.tasks)
    tx.set_deployed("workspace", catalog.workspaces)
    tx.clock.keep(now_ms)
    tx.generations.owe(version_id)  # a deploy that is killed now has made no instances yet (AUTO-1)
    anew = f", version {published_from} anew" if published_from is not None else ""
    tx.record(now_ms, user, "deploy", comment=f"version {version_id}{anew}")
    return version_id, True


def _keep_contents(store: Store, catalog: Catalog, contents: Mapping[str, bytes]) -> None:
    """Before the version that names them; what a crash leaves then is found again by the next deploy."""
    wanted = {file.sha256 for workspace in catalog.workspaces.values() for file in workspace.files}
    if not wanted:
        return
    with store.read() as reader:
        missing = sorted(reader.versions.missing(wanted))
    for start in range(0, len(missing), _CONTENTS):
        with store.transaction() as tx:
            tx.versions.add_contents({key: contents[key] for key in missing[start : start + _CONTENTS]})


def find_past_task(
    catalog: Catalog, ids: Mapping[str, int], text: str, sees: Callable[[str], bool] = lambda _: True
) -> str:
    """Like `find_task`, and by full name or id also a task that is no longer in the project (CAT-3)."""
    if text in ids and sees(text):
        return text
    if text.isascii() and text.isdigit():  # compared as text: no number has as many digits as a text can
        text = text.lstrip("0") or "0"
        named = next((name for name, task_id in ids.items() if str(task_id) == text), None)
        if named is not None and sees(named):
            return named
    return find_task(catalog, ids, text, sees)


def find_task(
    catalog: Catalog, ids: Mapping[str, int], text: str, sees: Callable[[str], bool] = lambda _: True
) -> str:
    """The full name of the task that `text` names: full name, id, or short name if unambiguous.

    Args:
        sees: whether the user may see a task; others are answered like unknown ones (SEL-5).

    Raises:
        UnknownNameError: there is no such task.
        UsageError: several tasks have this short name.
    """
    if text in catalog.tasks and sees(text):
        return text
    if text.isascii() and text.isdigit():
        text = text.lstrip("0") or "0"
        for name, task_id in ids.items():
            if str(task_id) == text and name in catalog.tasks and sees(name):
                return name
        raise UnknownNameError(
            f"there is no task {text[:_MOST_DIGITS]}", Text("{task.list} shows all tasks.")
        )
    known = [name for name in catalog.tasks if sees(name)]
    found = [name for name in known if catalog.tasks[name].short_name == text]
    if len(found) > 1:
        raise UsageError(
            f'several tasks are called "{text}": {", ".join(found)}', "Write one of the full names."
        )
    if found:
        return found[0]
    words = [*known, *(catalog.tasks[name].short_name for name in known)]
    raise UnknownNameError(
        f'there is no task "{shown(text)}"{did_you_mean(text, words)}',
        Text("{task.list} shows all tasks."),
    )
