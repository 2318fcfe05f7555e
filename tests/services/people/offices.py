"""A world whose only workspace has the members ann and bob, and who sees to people in it."""

from __future__ import annotations

from functools import cached_property
from typing import TypeVar

from retrofill.domain.catalog.definitions import Catalog, ResourceGroup, Workspace
from retrofill.domain.people.roles import Actor
from retrofill.domain.people.server_keys import BYTES, ServerKey
from retrofill.services.people.accounts import Contact, People, contact_of
from retrofill.services.people.clerks import Clerk, find_actor
from retrofill.services.people.keys import Keys
from retrofill.services.people.reception import Reception
from retrofill.services.people.sign_ins import SignIns
from services.fakes import FakePasswords
from services.worlds import World

MEMBERS = {"ann": "administrator", "bob": "visitor"}
_Clerk = TypeVar("_Clerk", bound=Clerk)


class Office:
    def __init__(self, world: World) -> None:
        self.world = world
        tasks = world.catalog.tasks
        workspaces, groups = {"w": Workspace("w", members=MEMBERS)}, {"etl": ResourceGroup("etl")}
        self.catalog = Catalog("test", workspaces=workspaces, tasks=tasks, resource_groups=groups)
        self.passwords = FakePasswords()
        self.server_key = ServerKey(bytes(range(BYTES)))

    @cached_property
    def reception(self) -> Reception:
        world = self.world
        return Reception(
            world.store, world.clock, lambda: self.catalog, self.passwords, lambda: self.server_key
        )

    def people(self, name: str = "admin") -> People:
        """In the name of somebody."""
        return self._clerk(People, name)

    def keys(self, name: str = "admin") -> Keys:
        return self._clerk(Keys, name)

    def sign_ins(self, name: str = "admin") -> SignIns:
        return self._clerk(SignIns, name)

    def _clerk(self, kind: type[_Clerk], name: str) -> _Clerk:
        actor = self.actor(name)
        assert actor is not None
        return kind(self.world.store, self.catalog, self.world.clock, actor)

    def actor(self, name: str) -> Actor | None:
        with self.world.store.read() as reader:
            return find_actor(reader.people, self.catalog, name)

    def contact(self, name: str) -> Contact:
        with self.world.store.read() as reader:
            return contact_of(reader.people, name)

    def set_password(self, user: str, password: str) -> None:
        self.sign_ins().set_password(self.passwords, user, password)

    def pass_minutes(self, minutes: float) -> None:
        self.world.clock.ms += round(minutes * 60_000)
