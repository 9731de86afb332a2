"""Funnels, and the small language of their steps.

A step is an event's name (`signup`), or `pageview:` with a path, whose last
character may be `*` for every path that begins so. Any number of predicates may
follow, all of which must hold: `[plan=pro]` and `[plan:s=5]` for a text,
`[items:n=3]` for a number, `[refunded:b=false]` for a boolean. On a page view, a
filter's name (`[utm_source=ad]`) means what the view itself says there.

A key may have a colon in it where its type is written out: `[og:title:s=Mug]`.
A value may have anything in it but `]`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, cast

from clamp_server.model.dimension import DIMENSIONS, Dimension

FEWEST_STEPS, MOST_STEPS = 2, 10
MAX_STEP_CHARACTERS = 500
MAX_FUNNEL_NAME_CHARACTERS = 200
ALLOWED_FUNNEL_NAMES = (
    f"a text of 1 to {MAX_FUNNEL_NAME_CHARACTERS} characters without / , [ ]"
    " and control characters"
)
ALLOWED_STEP = (
    f"at most {MAX_STEP_CHARACTERS} characters: an event's name or pageview:/path,"
    " then any number of [key=value], [key:s=text], [key:n=3] or [key:b=true]"
)

PredicateType: TypeAlias = Literal["string", "number", "boolean"]
PredicateValue: TypeAlias = str | float | bool

_PAGEVIEW = "pageview:"
_PREDICATES = re.compile(r"(?:\[[^\]]*\])*")
_PREDICATE = re.compile(r"\[([^\]]*)\]")
_TYPES: dict[str, PredicateType] = {"s": "string", "n": "number", "b": "boolean"}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_REFUSED_IN_NAMES = re.compile(r"[/,\[\]\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Predicate:
    """One thing that must hold for an event of a step.

    Attributes:
        key: A property's key, or a filter's name where `is_dimension`.
        value: Of the type that `kind` names.
    """

    key: str
    kind: PredicateType
    value: PredicateValue
    is_dimension: bool = False

    @property
    def dimension(self) -> Dimension | None:
        """The column that is meant; None for a property."""
        return cast(Dimension, self.key) if self.is_dimension else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a funnel.

    Attributes:
        text: As it was written.
        event: Name of the event, `$pageview` for a page.
        path: Of the page; None where any page will do.
        is_prefix: Whether `path` is only how the page's path begins.
    """

    text: str
    event: str
    path: str | None = None
    is_prefix: bool = False
    predicates: tuple[Predicate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """A saved funnel.

    Attributes:
        steps: As they were written; `decode_step` has read each.
    """

    id: str
    name: str
    steps: tuple[str, ...]
    created_at: datetime


def decode_step(text: str) -> Step:
    """Read one step.

    Raises:
        ValueError: Says what is wrong, and what is allowed.

    >>> decode_step("pageview:/blog/*[utm_source=ad]").predicates
    (Predicate(key='utm_source', kind='string', value='ad', is_dimension=True),)
    """
    if len(text) > MAX_STEP_CHARACTERS:
        raise _bad_step(f"{len(text)} characters")
    head, bracket, rest = text.partition("[")
    if not head or "]" in head:
        raise _bad_step(repr(text[:60]))
    if not _PREDICATES.fullmatch(bracket + rest):
        raise _bad_step(repr(text[:60]))
    is_page = head.startswith(_PAGEVIEW)
    predicates = tuple(
        _predicate(inside, is_page) for inside in _PREDICATE.findall(bracket + rest)
    )
    if not is_page:
        return Step(text=text, event=head, predicates=predicates)
    path = head.removeprefix(_PAGEVIEW)
    if not path.startswith("/"):
        raise ValueError(
            f"the path of a pageview: step begins with /; got {path[:60]!r}"
        )
    return Step(
        text=text,
        event="$pageview",
        path=path.removesuffix("*"),
        is_prefix=path.endswith("*"),
        predicates=predicates,
    )


def check_funnel_name(name: str) -> None:
    """Check the name of a new funnel.

    Raises:
        ValueError: Says what is allowed.
    """
    too_long = len(name) > MAX_FUNNEL_NAME_CHARACTERS
    if not name or too_long or _REFUSED_IN_NAMES.search(name):
        raise ValueError(f"must be {ALLOWED_FUNNEL_NAMES}; got {name[:60]!r}")


def kind_of(value: PredicateValue) -> PredicateType:
    """Return the type of the property that has this value."""
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def _predicate(inside: str, is_page: bool) -> Predicate:
    left, equals, value = inside.partition("=")
    key, colon, letter = left.rpartition(":")
    if not colon:
        key, letter = left, "s"
    if not equals or not key:
        raise ValueError(f"a predicate is [key=value]; got {f'[{inside[:60]}]'!r}")
    if letter not in _TYPES:
        raise ValueError(
            f"the type of a predicate is s, n or b, as in [{key[:30]}:n=3]; got"
            f" {letter[:20]!r}"
        )
    kind = _TYPES[letter]
    return Predicate(
        key=key,
        kind=kind,
        value=_value(key, kind, value),
        is_dimension=is_page and kind == "string" and key in DIMENSIONS,
    )


def _value(key: str, kind: PredicateType, text: str) -> PredicateValue:
    if kind == "string":
        return text
    if kind == "boolean":
        if text not in ("true", "false"):
            raise ValueError(f"[{key[:30]}:b] must be true or false; got {text[:30]!r}")
        return text == "true"
    number = float(text) if _NUMBER.fullmatch(text) else math.inf
    if not math.isfinite(number):
        raise ValueError(f"[{key[:30]}:n] must be a number; got {text[:30]!r}")
    return number


def _bad_step(got: str) -> ValueError:
    return ValueError(f"must have {ALLOWED_STEP}; got {got}")
