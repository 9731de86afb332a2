"""An event store that is quick to acknowledge and folds events in later.

    append -> journal (synced) -> acknowledged
                  `-> waiting -> prepared -> loaded into the table, many groups at once

A commit into a table of 45 columns costs 5 ms of processor time however few
events it has, and now and then half a second for a checkpoint; a commit into
the journal costs 0.2 ms. So the journal makes an event durable, and a thread
loads what has gathered, while another prepares the load after it. Whoever asks is
never shown less than was acknowledged: what waits is loaded first. See
`docs/reasons/storage.md`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from threading import Lock, Thread
from typing import Protocol

from clamp_server.clock import Clock
from clamp_server.errors import StoreUnavailableError
from clamp_server.log import Seldom
from clamp_server.model.event import EnrichedEvent
from clamp_server.store.event_batch import EventBatch, UnstorableError
from clamp_server.store.id_filter import PAGE_SLOTS, EventId, IdFilter, IdPage
from clamp_server.store.journal import Group, Journal
from clamp_server.store.sql import REMEMBER_IDS, Dialect, Row, Sql, seq_at
from clamp_server.store.waiting_groups import WaitingGroups

# So that memory stays flat when events come faster than they can be loaded.
MAX_WAITING_BYTES = 16 * 1024 * 1024
RETRY_AFTER_S = 1.0
# One prepares the next load, for which it needs Python's lock, while that of the other
# is written, for which it does not: a quarter more comes in.
LOADERS = 2
# A load asks for Python's lock a dozen times, and each time waits until the other
# threads have kept it for as long as they may, 5 ms each. Where everybody waits for
# loads anyhow, they may keep it for this long: a twentieth to a sixth more comes in.
# At other times it would cost single events a tenth.
HURRIED_SWITCH_S = 0.0003
USUAL_SWITCH_S = sys.getswitchinterval()

_log = logging.getLogger(__name__)


class EventTable(Protocol):
    """A database that takes events in bulk."""

    @property
    def dialect(self) -> Dialect:
        """How this database spells what the other spells otherwise."""
        ...

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row."""
        ...

    def last_seq(self) -> int:
        """Return the newest event's `seq`; 0 without events."""
        ...

    def prepare(self, groups: Sequence[Group]) -> EventBatch:
        """Make of groups what `load` takes, while another load may be going on."""
        ...

    def load(self, batch: EventBatch) -> None:
        """Store the events after `last_seq` in one durable transaction."""
        ...

    def stored_ids(self, ids: Collection[EventId], since_seq: int) -> set[EventId]:
        """Return those of `ids` that an event has whose `seq` is not below."""
        ...

    def ids_after(self, seq: int) -> Iterator[tuple[EventId, int]]:
        """Return the ids of later events, each with its event's `seq`, in order."""
        ...

    def id_pages(self) -> list[IdPage]:
        """Return the pages of marks that were saved, oldest first."""
        ...

    def save_id_page(self, page: IdPage, forget_before_seq: int) -> None:
        """Keep a page of marks, and drop those that are over."""
        ...

    def close(self) -> None:
        """Let it go."""
        ...


class JournaledStore:
    """Events in a journal until they are in a table.

    Args:
        table: Where they go; this store closes it.
        journal: Where they wait; what an earlier process left there goes first.
        max_waiting_bytes: Beyond this an acknowledgement waits for a load.
        page_slots: Size of the pages of `IdFilter`.
    """

    def __init__(
        self,
        table: EventTable,
        journal: Journal,
        clock: Clock,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
        page_slots: int = PAGE_SLOTS,
    ) -> None:
        self._max_waiting_bytes = max_waiting_bytes
        self._page_slots = page_slots
        self._table = table
        self._journal = journal
        self._clock = clock
        self._appending = Lock()
        self._preparing = Lock()
        self._loading = Lock()
        self._seldom = Seldom(_log)
        self._waiting = WaitingGroups()
        self._ids, self._saved_seq = self._noted_ids()
        for group, size_bytes in journal.groups():
            self._waiting.add(group, size_bytes)
            self._ids.add(group.ids(), group.seqs[-1])
        self._last_seq = max(table.last_seq(), self._waiting.last_seq())
        self._or_logged(self._load)
        self._threads = [
            Thread(target=self._keep_loading, name="clamp-loader", daemon=True)
            for _ in range(LOADERS)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def dialect(self) -> Dialect:
        """How the table's database spells what the other spells otherwise."""
        return self._table.dialect

    def rows(self, sql: Sql) -> list[Row]:
        """Run `sql` and return every row, keyed by column name.

        Raises:
            StoreUnavailableError: The database cannot answer now.
        """
        self._load()
        return self._table.rows(sql)

    def append(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        """Store `events` in one durable transaction; return when it is on disk.

        Raises:
            StoreUnavailableError: Nothing of `events` was stored.
        """
        with self._appending:
            self._load_next(if_bytes=self._max_waiting_bytes)
            first_seq = max(self._last_seq + 1, seq_at(self._clock()))
            self._last_seq = first_seq + len(events)
            is_first = self._first_times(events)
            fresh = [e for e, first in zip(events, is_first, strict=True) if first]
            if fresh:
                group = Group(first_seq, fresh)
                self._waiting.add(group, self._journal.add(group))
        return is_first

    def close(self) -> None:
        """Write everything out and let the files go."""
        self._waiting.close()
        for thread in self._threads:
            thread.join()
        self._or_logged(self._load)
        self._journal.close()
        self._table.close()

    def _oldest_seq(self) -> int:
        return seq_at(self._clock() - REMEMBER_IDS)

    def _noted_ids(self) -> tuple[IdFilter, int]:
        oldest_seq = self._oldest_seq()
        pages = [p for p in self._table.id_pages() if p.last_seq >= oldest_seq]
        saved_seq = pages[-1].last_seq if pages else oldest_seq - 1
        ids = IdFilter(pages, self._page_slots)
        for one, seq in self._table.ids_after(saved_seq):
            ids.add([one], seq)
        return ids, saved_seq

    def _first_times(self, events: Sequence[EnrichedEvent]) -> list[bool]:
        ids: list[EventId] = [(event.project_id, event.id) for event in events]
        distinct = {one for one in ids if one[1]}
        repeats = self._repeats(distinct)
        if not repeats and len(distinct) == sum(1 for one in ids if one[1]):
            return [True] * len(ids)
        is_first = []
        for one in ids:
            is_first.append(one not in repeats)
            if one[1]:
                repeats.add(one)
        return is_first

    def _repeats(self, ids: set[EventId]) -> set[EventId]:
        oldest_seq = self._oldest_seq()
        self._ids.forget(oldest_seq)
        suspects = self._ids.add(ids, self._last_seq)
        # In this order: what is loaded meanwhile has left the one place for the
        # other by the time that it is asked.
        repeats = self._waiting.ids(suspects)
        suspects -= repeats
        if suspects:
            repeats |= self._table.stored_ids(suspects, oldest_seq)
        return repeats

    def _keep_loading(self) -> None:
        while self._waiting.until_due():
            try:
                is_loaded = self._or_logged(partial(self._load_next, only_due=True))
            # The loader's own border: whatever a library raises, out of files or
            # of memory, the thread has to live on and try again.
            except Exception as error:
                self._seldom.error("events wait in the journal", cause=error)
                is_loaded = False
            if not is_loaded:
                self._waiting.pause(RETRY_AFTER_S)

    def _or_logged(self, load: Callable[[], None]) -> bool:
        try:
            load()
        except StoreUnavailableError as error:
            self._seldom.error("acknowledged events wait in the journal: %s", error)
            return False
        return True

    def _load(self) -> None:
        """Load what waits now; what comes in meanwhile is not waited for."""
        last_seq = self._last_seq
        while self._waiting.starts_by(last_seq):
            self._load_next()

    def _load_next(self, if_bytes: int = 0, *, only_due: bool = False) -> None:
        """Load the groups that are next, and wait for those that are under way.

        Args:
            if_bytes: Only if so much waits when it is their turn.
            only_due: Only if their time has come.
        """
        if self._waiting.size_bytes < if_bytes:
            return
        with self._preparing:
            if self._waiting.size_bytes < if_bytes:
                return
            groups = self._waiting.take(only_due=only_due)
            try:
                batch = self._prepared(groups)
            except BaseException:
                with self._loading:
                    self._waiting.give_back()
                raise
            # Before anybody else may prepare: so loads happen in the order in which
            # they are taken.
            self._loading.acquire()
        try:
            # Unless the load before has failed.
            if groups and self._waiting.begins_with(groups):
                self._load_taken(groups, batch)
        finally:
            self._loading.release()

    def _prepared(self, groups: Sequence[Group]) -> EventBatch | None:
        """Prepare a load; None where one of its events fits no column."""
        try:
            return self._table.prepare(groups)
        except UnstorableError:
            return None

    def _load_taken(self, groups: Sequence[Group], batch: EventBatch | None) -> None:
        try:
            with self._hurried():
                if batch is None or not self._has_loaded(batch):
                    self._load_one_by_one(groups)
        except BaseException:
            self._waiting.give_back()
            raise
        self._waiting.remove_first(len(groups))
        self._tidy(groups)

    @contextmanager
    def _hurried(self) -> Iterator[None]:
        """Let threads change more often, if events come faster than they are loaded."""
        if self._waiting.size_bytes * 2 < self._max_waiting_bytes:
            yield
            return
        sys.setswitchinterval(HURRIED_SWITCH_S)
        try:
            yield
        finally:
            sys.setswitchinterval(USUAL_SWITCH_S)

    def _has_loaded(self, batch: EventBatch) -> bool:
        """Load a batch; False where one of its events fits no column."""
        try:
            self._table.load(batch)
        except UnstorableError:
            return False
        return True

    def _load_one_by_one(self, groups: Sequence[Group]) -> None:
        for group in groups:
            for seq, event in zip(group.seqs, group.events, strict=True):
                try:
                    self._table.load(self._table.prepare([Group(seq, [event])]))
                except UnstorableError as error:
                    _log.error("an event is set aside in the journal: %s", error)
                    self._journal.set_aside(seq, event, str(error))

    def _tidy(self, loaded: Sequence[Group]) -> None:
        loaded_seq = loaded[-1].seqs[-1]
        try:
            for page in self._ids.full_pages:
                if self._saved_seq < page.last_seq <= loaded_seq:
                    self._table.save_id_page(page, self._oldest_seq())
                    self._saved_seq = page.last_seq
            self._journal.remove(loaded)
        # All of it is done again with the next load, or at the next start.
        except StoreUnavailableError as error:
            self._seldom.warning("the journal could not be tidied: %s", error)
