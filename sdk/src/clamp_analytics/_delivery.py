"""Events from the queue to the server, on a thread of their own.

    put -> queue -> take -> batch -> server      done: settle
                      ^                  |
                      '--- wait, again --'       refused: tell, settle

One thread takes what waits, oldest first, as one batch, and takes no other before
each of its events is delivered or refused. It begins with the first event that
waits and sleeps, without a timer, while none does. Nobody else sends, so an event
is under way at most once, and its id lets the server recognise a repeat whose
first answer was lost.

A fork leaves the child an empty queue and no thread: what waits is the parent's.
"""

from __future__ import annotations

import random
import sys
import time
from collections import deque
from contextlib import suppress
from threading import Condition, RLock, Thread, current_thread, get_ident

from clamp_analytics._background import MAX_TIME_S, BackgroundDelivery, Stats
from clamp_analytics._exchange import Transport
from clamp_analytics._process import watch, watch_end_of_worker
from clamp_analytics._queue import Queue
from clamp_analytics._report import Reporter
from clamp_analytics._retry import back_off_s
from clamp_analytics._sender import Attempt, Sender
from clamp_analytics._waiting import new_id, stamped
from clamp_analytics.errors import ClampError, QueueFullError

# An outbox has events and cannot give them.
UNREADABLE_WAIT_S = 0.5
# While somebody waits for a flush the back-off is no longer than this.
FLUSH_WAIT_S = 0.5
# A server that gives no answer at all is not waited for longer at the end.
SILENCE_S = 2.0
# More events than ever wait: the thread need not be woken.
_NEVER = 1 << 62
_NOT_YET = float("inf")
# No thread's identifier is 0.
_NOBODY = 0


class Delivery:
    """Delivers the events of one client in the background."""

    def __init__(
        self,
        project_id: str,
        transport: Transport,
        queue: Queue,
        options: BackgroundDelivery,
        reporter: Reporter,
    ) -> None:
        self._queue = queue
        self._options = options
        self._reporter = reporter
        self._sender = Sender(project_id, transport, reporter)
        self._is_closed = False
        self._has_ended = False
        self._begin()
        watch(self)
        # What an earlier process left in an outbox goes out without a new event.
        with self._changed:
            self._start_if_needed()

    def _begin(self) -> None:
        # A lock that one thread may take twice: a signal handler may track while
        # the code that it interrupts does.
        self._lock = RLock()
        self._changed = Condition(self._lock)
        # The thread that is in the middle of `put`, and the events that came there
        # meanwhile.
        self._putting = _NOBODY
        self._interrupting: deque[bytes] = deque()
        self._thread: Thread | None = None
        # The thread sleeps until so many wait.
        self._wake_at = _NEVER
        # The thread ends: once nothing waits, or now.
        self._is_retired = False
        self._is_given_up = False
        self._give_up_at_s = _NOT_YET
        self._flushes = 0
        self._answers = 0
        self._lost_at_flush = 0

    def put(self, event: bytes) -> bool:
        """Take an event for delivery.

        Returns:
            False if there was no room, which is told then.

        Raises:
            ClampError: If this was closed.
        """
        full = None
        if self._thread is None:
            self._renew_lock()
        with self._lock:
            if self._putting and self._is_interrupted():
                # What is going on below has to be finished first.
                self._interrupting.append(event)
                return True
            if self._has_ended:
                return self._put_late([event])
            if self._is_closed:
                raise ClampError("this Clamp was closed")
            self._putting = get_ident()
            try:
                waiting = self._queue.put(event)
                if self._thread is None:
                    self._start_if_needed()
                # Notifying takes as long as all the rest of this, and in a burst
                # nobody is asleep.
                elif waiting >= self._wake_at:
                    self._changed.notify_all()
                    self._wake_at = _NEVER
            except QueueFullError as error:
                full = error
            finally:
                self._putting = _NOBODY
            # A signal's handler may have closed this meanwhile, too.
            if self._interrupting or self._is_closed:
                self._catch_up()
        if full is not None:
            self._reporter.drop(full.reason, full, [event])
        return full is None

    def _renew_lock(self) -> None:
        # gunicorn's gevent workers patch `threading` after they were forked. A lock
        # from before takes all greenlets for one thread, and lets each in.
        lock = RLock()
        if type(lock) is not type(self._lock):
            self._lock = lock
            self._changed = Condition(lock)

    def _is_interrupted(self) -> bool:
        """Whether a call of `put` goes on only when a signal's handler returns.

        It is this thread's own, or another's whose handler waits for a flush. One
        that ended without saying so is none: Python 3.9 lets a handler raise
        between any two steps, also at the start of a `finally`.
        """
        calls = -1 if self._putting == get_ident() else 0
        frame = sys._current_frames().get(self._putting)
        while frame is not None:
            calls += frame.f_code is Delivery.put.__code__
            frame = frame.f_back
        return calls > 0

    def _may_be_putting(self) -> bool:
        """Whether a call of `put` may go on once this thread gives up the lock."""
        putting = self._putting
        if putting == _NOBODY:
            return False
        # Of greenlets, which share a thread, the stacks are not to be seen.
        is_seen = putting != get_ident() and putting in sys._current_frames()
        return not is_seen or self._is_interrupted()

    def _catch_up(self) -> None:
        """Put what came while a call of `put` was interrupted."""
        came: list[bytes] = []
        # No more than there are: in the handler itself, `put` takes them back. And
        # no fewer may be left: another handler may do all this in the middle of it.
        with suppress(IndexError):
            for _ in range(len(self._interrupting)):
                came.append(self._interrupting.popleft())
        if not self._is_closed:
            for event in came:
                self.put(event)
        elif late := [*self._queue.close(), *came]:
            self._put_late(late)

    def flush(self, timeout: float) -> bool:
        """Wait until the server has every event that is in here now.

        Args:
            timeout: In seconds.

        Returns:
            False if the time was over first, or an event was dropped since the
            flush before.
        """
        with self._changed:
            self._catch_up()
            is_empty = self._until_empty(timeout, None)
            lost, self._lost_at_flush = self._lost_at_flush, self._reporter.lost_count
            # What is given up has left the queue, but not for the server.
            is_whole = is_empty and not self._is_given_up and not self._interrupting
            return is_whole and lost == self._lost_at_flush

    def close(
        self, timeout: float | None = None, silence_s: float | None = None
    ) -> bool:
        """Take nothing more, deliver what waits, and end the thread.

        What is left then is told as "closed", unless an outbox keeps it.

        Args:
            timeout: In seconds; None means the options' `exit_timeout`.
            silence_s: Give up after this time, in seconds, in which the server
                gave no answer at all; None never does.

        Returns:
            As `flush`.
        """
        if timeout is None:
            timeout = self._options.exit_timeout
        with self._changed:
            self._catch_up()
            if self._is_closed:
                return not self._waiting() and not self._has_lost()
            self._is_closed = True
            is_empty = self._until_empty(timeout, silence_s)
            self._is_retired = True
            self._is_given_up = not is_empty
            self._changed.notify_all()
            # `on_error` may close, on the thread that delivers. Joining it would take
            # all of the time at the exit of a process that gevent has patched.
            if is_empty and self._thread is not current_thread():
                longest_s = min(timeout, MAX_TIME_S)
                self._changed.wait_for(lambda: self._thread is None, longest_s)
        done = frozenset(self._sender.done)
        self._lose([event for event in self._queue.close() if event not in done])
        return is_empty and not self._has_lost()

    def end(self, began_s: float) -> None:
        """Close at the end of the process, in a bounded time."""
        spent_s = time.monotonic() - began_s
        timeout = max(self._options.exit_timeout - spent_s, 0.0)
        self.close(timeout, max(SILENCE_S - spent_s, 0.0))
        self._has_ended = True

    def retire(self) -> None:
        """End the thread once nothing waits; what comes later starts another."""
        with self._changed:
            self._is_retired = True
            self._changed.notify_all()

    def stats(self) -> Stats:
        """Count what became of the events."""
        with self._changed:
            reporter = self._reporter
            waiting = self._waiting() + len(self._interrupting)
            return Stats(reporter.sent_count, waiting, reporter.dropped)

    def before_fork(self) -> None:
        """Hold the lock, so that the child's queue is one that nobody changes."""
        self._changed.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._changed.release()

    def after_fork_in_child(self) -> None:
        """Begin anew: no thread came along, and what waits is the parent's."""
        self._begin()
        self._queue.forked()
        self._reporter.forked()

    def _put_late(self, events: list[bytes]) -> bool:
        """Take events of a handler, of the exit or a signal, after this was closed.

        Nobody waits for them any more: an outbox keeps them for the next process,
        and without one they are sent here and now.

        Returns:
            False if one is lost, which is told then.
        """
        if self._options.outbox is None:
            left = [stamped(event, new_id()) for event in events]
            if not self._is_given_up:
                left = self._sender.send(left).left
            self._lose(left)
            return not left
        for number, event in enumerate(events):
            try:
                self._queue.put(event)
            except QueueFullError as full:
                self._reporter.drop(full.reason, full, events[number:])
                return False
        return True

    def _lose(self, events: list[bytes]) -> None:
        if events:
            why = ClampError(f"not delivered when this Clamp was closed: {len(events)}")
            self._reporter.drop("closed", why, events)
        self._reporter.finish()

    def _waiting(self) -> int:
        return self._queue.entered - self._queue.left

    def _has_lost(self) -> bool:
        return self._reporter.lost_count != self._lost_at_flush

    def _start_if_needed(self) -> None:
        if self._thread is None and self._waiting():
            thread = Thread(target=self._run, name="clamp-delivery", daemon=True)
            # Before it starts: one that is not the thread of this ends at once, as
            # when a signal's handler raises in the middle of this.
            self._thread = thread
            try:
                thread.start()
            # The interpreter ends and starts no more threads.
            except RuntimeError:
                self._thread = None
                return
            except BaseException:
                self._thread = None
                raise
            watch_end_of_worker()

    def _until_empty(self, timeout: float, silence_s: float | None) -> bool:
        """Wait, with the lock held, until what is in the queue now has left it."""
        self._start_if_needed()
        if self._thread is None and self._waiting():
            return self._run_here(timeout if silence_s is None else silence_s)
        entered, answers = self._queue.entered, self._answers
        if timeout <= 0:
            return self._queue.left >= entered
        # A lock takes no infinity.
        timeout = min(timeout, MAX_TIME_S)
        deadline_s = time.monotonic() + timeout
        self._flushes += 1
        self._changed.notify_all()
        try:
            if silence_s is not None and not self._changed.wait_for(
                lambda: self._queue.left >= entered or self._answers != answers,
                min(silence_s, timeout),
            ):
                return False
            return self._changed.wait_for(
                # The counts may have been mended meanwhile.
                lambda: self._queue.left >= entered or not self._waiting(),
                deadline_s - time.monotonic(),
            )
        finally:
            self._flushes -= 1

    def _run_here(self, timeout: float) -> bool:
        """Deliver what waits, with the lock held, where no thread can be started.

        Python 3.12 starts none at the end of the process. No attempt begins after
        `timeout`, but one that has begun is waited for.
        """
        was_retired, self._is_retired = self._is_retired, True
        self._give_up_at_s = time.monotonic() + timeout
        # So that nobody else comes here as well.
        self._thread = current_thread()
        self._flushes += 1
        try:
            self._run()
        finally:
            self._flushes -= 1
            self._thread = None
            self._give_up_at_s = _NOT_YET
            self._is_retired = was_retired
        return not self._waiting()

    def _run(self) -> None:
        try:
            while self._has_work():
                self._deliver_next()
        # An `on_error` that ends its thread: the next event starts another.
        except BaseException:
            with self._changed:
                self._thread = None
                self._changed.notify_all()
            raise

    def _deliver_next(self) -> None:
        events = self._queue.take(self._sender.max_events, self._sender.max_bytes)
        if not events:
            with self._changed:
                if not self._may_be_putting():
                    self._queue.recount()
                # A file that cannot be read just now; the events in it still wait.
                if self._waiting():
                    self._changed.wait_for(self._is_over, UNREADABLE_WAIT_S)
                else:
                    self._changed.notify_all()
            return
        try:
            self._deliver(events)
        # The thread's own border: what nobody has thought of costs a batch, and not
        # every event from then on.
        except Exception as error:
            left = [event for event in events if event not in self._sender.done]
            self._reporter.drop("internal_error", error, left)
            self._settle()

    def _has_work(self) -> bool:
        """Sleep until events wait, and then a little for others to join them."""
        with self._changed:
            if self._thread is not current_thread():
                return False
            while not self._waiting():
                if self._is_retired:
                    break
                self._wake_at = 1
                self._changed.wait()
            self._wake_at = self._sender.max_events
            self._changed.wait_for(self._is_due, self._options.linger_s)
            self._wake_at = _NEVER
            if self._is_over() or not self._waiting():
                self._thread = None
                self._changed.notify_all()
                return False
            return True

    def _is_due(self) -> bool:
        return bool(
            self._waiting() >= self._sender.max_events
            or self._flushes
            or self._is_retired
        )

    def _deliver(self, events: list[bytes]) -> None:
        left, failures = events, 0
        while left and not self._is_over():
            attempt = self._sender.send(left)
            failures = failures + 1 if attempt.left == left else 0
            left = attempt.left
            with self._changed:
                self._answers += attempt.is_heard
                # With nothing left, settling tells those who wait in a moment.
                if left:
                    self._changed.notify_all()
            if attempt.trouble is not None:
                self._reporter.trouble(attempt.trouble)
                self._pause(attempt, failures)
        if not left:
            self._settle()

    def _settle(self) -> None:
        self._queue.settle()
        self._sender.done.clear()
        with self._changed:
            self._changed.notify_all()

    def _pause(self, attempt: Attempt, failures: int) -> None:
        """Wait before the next attempt, less while somebody waits for a flush."""
        wait_s = back_off_s(max(failures, 1), random.random())  # noqa: S311  # jitter is no secret
        until_s = time.monotonic() + max(wait_s, attempt.wait_s)
        with self._changed:
            if wait_s > attempt.wait_s and not self._is_given_up:
                self._changed.wait_for(self._is_hurried, wait_s)
                if self._is_hurried():
                    in_short_s = time.monotonic() + max(FLUSH_WAIT_S, attempt.wait_s)
                    until_s = min(until_s, in_short_s)
            rest_s = min(until_s, self._give_up_at_s) - time.monotonic()
            self._changed.wait_for(self._is_over, rest_s)

    def _is_over(self) -> bool:
        return self._is_given_up or time.monotonic() >= self._give_up_at_s

    def _is_hurried(self) -> bool:
        return bool(self._flushes or self._is_given_up)
