"""Which dispatcher makes offers known, and what is said where none can (RUN-9)."""

from __future__ import annotations

from retrofill.executors.pull import PullDispatcher
from retrofill.executors.routing import Dispatchers, Surroundings
from retrofill.services.ports.dispatching import Offered
from retrofill.services.ports.hosting import Offer

OFFERED = Offered(Offer(1, 1, "t"), "etl", 1, 0)


def dispatchers() -> Dispatchers:
    return Dispatchers(lambda: Surroundings("demo.word", {}, lambda _: None))


def test_what_is_installed_is_made_once() -> None:
    """RUN-9: by the name that a resource group says."""
    made = dispatchers()
    assert isinstance(made.get("pull"), PullDispatcher)
    assert made.get("pull") is made.get("pull")
    assert made.news() == []


def test_an_executor_that_is_not_installed_stops_nobody() -> None:
    """RUN-9: offers are found in the ledger; it is said once."""
    made = dispatchers()
    made.get("celry").offer([OFFERED])
    (sentence,) = made.news()
    assert "there is no executor 'celry'; they find" in sentence
    assert made.news() == []
