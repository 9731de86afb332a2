"""What a question can be asked with: each parameter is a value that reads itself.

The same values read a request's query, list the parameters in the reference and
name what is allowed in a refusal. An empty text counts as absent, as it does on
events. A parameter that a question does not know is refused: a filter that is
misspelt, or that does not hold there, would else give unfiltered figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from clamp_server.errors import InvalidRequestError
from clamp_server.model.dimension import DIMENSIONS, Dimension
from clamp_server.model.period import ALLOWED_PERIODS, Period, decode_period
from clamp_server.model.project import Project
from clamp_server.model.scope import Scope

# The longest text of an event, its URL, has as many: a longer one finds nothing.
MOST_CHARACTERS = 2_048

Query: TypeAlias = Mapping[str, str]
Word = TypeVar("Word", bound=str)


class Parameter(Protocol):
    """One named thing that a question can be asked with."""

    @property
    def name(self) -> str:
        """The name in a query, on the command line and in a tool's arguments."""
        ...

    @property
    def allowed(self) -> str:
        """Every value that is taken, in words."""
        ...

    @property
    def default(self) -> str:
        """What its absence means, as text; empty where it means nothing asked."""
        ...

    @property
    def is_required(self) -> bool:
        """Whether it may not be absent."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """Any text, compared exactly."""

    name: str
    allowed: str = "any text"
    default: str = ""
    is_required: bool = False

    def read(self, query: Query) -> str:
        """Return the text; empty when it is absent.

        Raises:
            InvalidRequestError: It is longer than any that is stored, or absent
                where it is required.
        """
        given = query.get(self.name, "")
        if self.is_required and not given:
            raise InvalidRequestError(f"{self.name}: missing; must be {self.allowed}")
        if len(given) > MOST_CHARACTERS:
            raise InvalidRequestError(
                f"{self.name}: must have at most {MOST_CHARACTERS} characters;"
                f" got {len(given)}"
            )
        return given


@dataclass(frozen=True, slots=True)
class Choice(Generic[Word]):
    """One word of a closed set.

    Attributes:
        default: Empty, and not among the words, where one must be given.
    """

    name: str
    words: Sequence[Word]
    default: Word | Literal[""]

    @property
    def allowed(self) -> str:
        """The words that are taken."""
        return ", ".join(word for word in self.words if word)

    @property
    def is_required(self) -> bool:
        """Whether no word is meant by its absence."""
        return self.default not in self.words

    def read(self, query: Query) -> Word:
        """Return the word.

        Raises:
            InvalidRequestError: It is none of `words`.
        """
        given = query.get(self.name) or self.default
        for word in self.words:
            if word == given:
                return word
        raise refusal(self, given)


@dataclass(frozen=True, slots=True)
class Flag:
    """Yes or no."""

    name: str
    default: str = "false"
    allowed: str = "true, false"
    is_required: bool = False

    def read(self, query: Query) -> bool | None:
        """Return the answer; None when it is absent and has no default.

        Raises:
            InvalidRequestError: It is neither `true` nor `false`.
        """
        given = query.get(self.name) or self.default
        if given not in ("true", "false", ""):
            raise refusal(self, given)
        return given == "true" if given else None


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number between two others, both allowed."""

    name: str
    least: int
    most: int
    usual: int
    is_required: bool = False

    @property
    def allowed(self) -> str:
        """The range that is taken."""
        return f"a whole number from {self.least} to {self.most}"

    @property
    def default(self) -> str:
        """The usual number, as text."""
        return str(self.usual)

    def read(self, query: Query) -> int:
        """Return the number.

        Raises:
            InvalidRequestError: It is not a whole number in the range.
        """
        given = query.get(self.name) or self.default
        # `int` takes "1_0", " 1" and digits of other scripts; a query may not.
        # Nine digits are more than any range here has.
        if given.isascii() and given.isdigit() and len(given) <= 9:
            number = int(given)
            if self.least <= number <= self.most:
                return number
        raise refusal(self, given)


@dataclass(frozen=True, slots=True)
class Span:
    """A period, in the project's time zone."""

    name: str = "period"
    default: str = "30d"
    allowed: str = ALLOWED_PERIODS

    @property
    def is_required(self) -> bool:
        """Whether no period is meant by its absence."""
        return not self.default

    def read(self, query: Query, project: Project, now: datetime) -> Period:
        """Return the period.

        Raises:
            InvalidRequestError: It is none, or too long.
        """
        given = query.get(self.name) or self.default
        try:
            return decode_period(given, ZoneInfo(project.time_zone), now)
        except ValueError as error:
            raise InvalidRequestError(f"{self.name}: {error}") from error


PERIOD = Span()
LIMIT = Whole("limit", least=1, most=50, usual=10)
FILTERS = tuple(Text(dimension) for dimension in DIMENSIONS)


def read_query(
    pairs: Iterable[tuple[str, str]], parameters: Sequence[Parameter]
) -> dict[str, str]:
    """Return what was given by name.

    Raises:
        InvalidRequestError: A name is not among `parameters`, or comes twice.
    """
    query: dict[str, str] = {}
    known = [parameter.name for parameter in parameters]
    for name, value in pairs:
        if name not in known:
            raise InvalidRequestError(
                f"{name[:50]}: there is no such parameter here;"
                f" allowed are {', '.join(known)}"
            )
        if name in query:
            raise InvalidRequestError(f"{name}: given more than once; give it once")
        query[name] = value
    return query


def read_pair(query: Query, key: Text, value: Text) -> tuple[str, str] | None:
    """Return a key and the value it must have; None when neither was given.

    With a key, an empty text is a value: a property may well be empty.

    Raises:
        InvalidRequestError: One of them is missing.
    """
    wanted, given = key.read(query), value.read(query)
    if wanted and value.name in query:
        return wanted, given
    if wanted:
        raise InvalidRequestError(f"{value.name}: missing; {key.name} needs it")
    if given:
        raise InvalidRequestError(f"{key.name}: missing; {value.name} needs it")
    return None


def read_scope(
    query: Query,
    project: Project,
    now: datetime,
    dimensions: Sequence[Dimension] = DIMENSIONS,
    *,
    leaves_out_bots: bool = False,
) -> Scope:
    """Return the scope that `period` and the filters of a query describe.

    Args:
        dimensions: Those that the question takes as filters.
        leaves_out_bots: Whether crawlers do not count.

    Raises:
        InvalidRequestError: The period is wrong, or a filter too long.
    """
    filters: tuple[tuple[Dimension, str], ...] = tuple(
        (d, Text(d).read(query)) for d in dimensions if query.get(d)
    )
    return Scope(
        project_id=project.id,
        period=PERIOD.read(query, project, now),
        filters=filters,
        leaves_out_bots=leaves_out_bots,
    )


def refusal(parameter: Parameter, given: str) -> InvalidRequestError:
    """Return the error for a value that `parameter` does not take."""
    return InvalidRequestError(
        f"{parameter.name}: must be {parameter.allowed}; got {given[:50]!r}"
    )
