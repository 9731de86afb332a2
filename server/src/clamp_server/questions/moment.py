"""An instant as a parameter of a question."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from clamp_server.model.period import FIRST_YEAR, LAST_YEAR
from clamp_server.questions.parameter import Query, refusal

# As in a sent event; `datetime.fromisoformat` alone takes weeks and odd spellings.
_SHAPE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant that must be given; without an offset it is one of UTC."""

    name: str
    allowed: str = "an instant in ISO 8601, such as 2026-03-10T12:00:00Z"
    default: str = ""
    is_required: bool = True

    def read(self, query: Query) -> datetime:
        """Return the instant, in UTC.

        Raises:
            InvalidRequestError: It is none, or out of what the stores can hold.
        """
        given = query.get(self.name, "")
        try:
            at = datetime.fromisoformat(given) if _SHAPE.fullmatch(given) else None
        except ValueError:
            at = None
        # The first and last year, so that no offset leads out of the calendar.
        if at is None or not FIRST_YEAR < at.year < LAST_YEAR:
            raise refusal(self, given)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
