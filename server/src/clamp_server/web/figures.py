"""What a project's page shows of one period, asked and shaped for reading."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias
from zoneinfo import ZoneInfo

from msgspec import UNSET

from clamp_server.model.project import Project
from clamp_server.model.scope import Scope
from clamp_server.questions import figures as questions
from clamp_server.questions.ask import ask
from clamp_server.questions.error_groups import ErrorGroup, errors_groups
from clamp_server.questions.figures import Income, NameCount, Totals
from clamp_server.questions.live import Bugs, LastOccurrence, last_occurrences
from clamp_server.questions.parameter import PERIOD, Choice
from clamp_server.store.sql import EventStore
from clamp_server.web.chart import Chart, chart

PeriodWord: TypeAlias = Literal["today", "7d", "30d"]
PERIODS: Sequence[tuple[PeriodWord, str]] = (
    ("today", "Today"),
    ("7d", "7 days"),
    ("30d", "30 days"),
)
CHOICE: Choice[PeriodWord] = Choice("period", [word for word, _ in PERIODS], "7d")

SHOWN_BUGS = 6
# A page with six stacks of 16 KB would be twice as heavy as all the rest; the
# bug's own page has it whole.
SHOWN_STACK_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BugLine:
    """One group of errors.

    Attributes:
        users: How many people it struck, as far as they are known.
        handled: `handled`, `unhandled`, or how many were handled.
        stack: Of the last occurrence, its middle cut out where it is long.
    """

    fingerprint: str
    type: str
    message: str
    count: int
    users: int
    first_seen_at: datetime
    last_seen_at: datetime
    handled: str
    stack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything beside the stream.

    Attributes:
        bugs: The latest ones.
        bug_count: Of all bugs, up to what `errors.groups` tells at once.
    """

    totals: Totals
    chart: Chart
    names: Sequence[NameCount]
    income: Sequence[Income]
    bugs: Sequence[BugLine]
    bug_count: int


def figures(
    store: EventStore, project: Project, word: PeriodWord, now: datetime
) -> Figures:
    """Ask everything that the page shows of one period.

    Raises:
        StoreUnavailableError: The store cannot answer now.
    """
    zone = ZoneInfo(project.time_zone)
    period = PERIOD.read({"period": word}, project, now)
    scope = Scope(project_id=project.id, period=period)
    first, today = period.start.astimezone(zone).date(), now.astimezone(zone).date()
    days = [first + timedelta(n) for n in range((today - first).days + 1)]
    groups = _groups(store, project, word, now)
    return Figures(
        totals=questions.totals.ask(store, scope),
        chart=chart(questions.quarter_hours.ask(store, scope), days, zone),
        names=questions.names.ask(store, scope),
        income=questions.income.ask(store, scope),
        bugs=_bugs(store, scope, groups[:SHOWN_BUGS]),
        bug_count=len(groups),
    )


def cut_middle(text: str, characters: int) -> str:
    """Return `text`, without its middle where it is longer than `characters`.

    A stack's ends are what tells: one has the message, the other the caller.
    """
    if len(text) <= characters:
        return text
    half = characters // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters …\n{text[-half:]}"


def _groups(
    store: EventStore, project: Project, word: PeriodWord, now: datetime
) -> Sequence[ErrorGroup]:
    query = {"period": word, "limit": "200", "sort_by": "last_seen"}
    params = errors_groups.read_params(query, project, now)
    return ask(store, errors_groups, params).groups


def _bugs(
    store: EventStore, scope: Scope, groups: Sequence[ErrorGroup]
) -> list[BugLine]:
    if not groups:
        return []
    fingerprints = tuple(group.fingerprint for group in groups)
    last = last_occurrences.ask(store, Bugs(scope, fingerprints))
    # Erasing may come between the two questions.
    return [_bug(g, last[g.fingerprint]) for g in groups if g.fingerprint in last]


def _bug(group: ErrorGroup, last: LastOccurrence) -> BugLine:
    return BugLine(
        fingerprint=group.fingerprint,
        type="" if group.sample_type is UNSET else group.sample_type,
        message="" if group.sample_message is UNSET else group.sample_message,
        count=group.count,
        users=group.users_affected,
        first_seen_at=datetime.fromisoformat(group.first_seen),
        last_seen_at=datetime.fromisoformat(group.last_seen),
        handled=_handled(last.handled, group.count),
        stack=cut_middle(last.stack, SHOWN_STACK_CHARACTERS),
    )


def _handled(handled: int, count: int) -> str:
    if handled == 0:
        return "unhandled"
    return "handled" if handled >= count else f"{handled:,} handled"
