"""What every store must do for forms that people keep: each its own, one of a name for a page, drafts by age."""

from __future__ import annotations

from retrofill.services.ports import Store
from retrofill.services.ports.records import SavedFormRecord

DRAFT = SavedFormRecord(0, "ann", "new", None, '{"task": ["ö"]}', 5)


def test_a_form_comes_back(store: Store) -> None:
    with store.transaction() as tx:
        number = tx.saved_forms.put(DRAFT)
        other = tx.saved_forms.put(DRAFT)
    assert other != number
    with store.read() as reader:
        assert reader.saved_forms.find(number) == DRAFT._replace(id=number)
        assert reader.saved_forms.find(777) is None


def test_it_is_kept_in_place_of_the_one_with_its_id(store: Store) -> None:
    with store.transaction() as tx:
        first = tx.saved_forms.put(DRAFT)
        again = DRAFT._replace(id=first, name="mine", fields="{}", saved_ms=6)
        assert tx.saved_forms.put(again) == first
        assert tx.saved_forms.of("ann", "new") == [again]


def test_a_name_is_given_once_for_a_user_and_a_page(store: Store) -> None:
    named = DRAFT._replace(name="mine")
    with store.transaction() as tx:
        first = tx.saved_forms.put(named)
        assert tx.saved_forms.put(named._replace(fields="{}")) == first
        others = [named._replace(user_name="bob"), named._replace(page="backfills"), named._replace(name="x")]
        assert first not in map(tx.saved_forms.put, others)
        assert [one.fields for one in tx.saved_forms.of("ann", "new")] == ["{}", named.fields]


def test_names_come_first_and_the_newest_draft_before_older_ones(store: Store) -> None:
    with store.transaction() as tx:
        for name, ms in (("b", 1), (None, 2), ("a", 3), (None, 4)):
            tx.saved_forms.put(DRAFT._replace(name=name, saved_ms=ms))
        assert [one.saved_ms for one in tx.saved_forms.of("ann", "new")] == [3, 1, 4, 2]


def test_old_drafts_are_forgotten_and_their_ids_are_not_given_again(store: Store) -> None:
    with store.transaction() as tx:
        named = tx.saved_forms.put(DRAFT._replace(name="mine"))
        fresh = tx.saved_forms.put(DRAFT._replace(saved_ms=6))
        old = tx.saved_forms.put(DRAFT)
        assert tx.saved_forms.drafts_before(6) == 1
        assert tx.saved_forms.forget_drafts(6) == 1
        assert [tx.saved_forms.find(number) is not None for number in (named, fresh, old)] == [
            True,
            True,
            False,
        ]
        assert tx.saved_forms.put(DRAFT) > old
        tx.saved_forms.remove(named)
        assert tx.saved_forms.find(named) is None
