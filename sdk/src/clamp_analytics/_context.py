"""What all events of a block of code have in common.

Kept in a context variable, so that a thread and an asyncio task see their own:
a task begins with what its creator had at that moment, a thread with nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import wraps
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple, TypeVar, cast

from clamp_analytics._wire import Properties

Function = TypeVar("Function", bound=Callable[..., Any])


# Named tuples, here and below: every program that imports this package makes these
# classes, and a dataclass takes three times as long to make.
class EventContext(NamedTuple):
    """What the contexts that are open here give an event.

    Attributes:
        properties: Of all of them; read only.
    """

    anonymous_id: str | None
    user_id: str | None
    properties: Properties


class _Layer(NamedTuple):
    value: EventContext
    opened_by: context | None = None
    below: _Layer | None = None


_ground = _Layer(EventContext(None, None, MappingProxyType({})))
_top: ContextVar[_Layer] = ContextVar("clamp_analytics", default=_ground)


def current() -> EventContext:
    """What an event that is made here takes from the open contexts."""
    return _top.get().value


# In lower case because it is used like a function, as those of `contextlib` are.
class context:
    """Gives every event inside it an identity and properties.

        with clamp_analytics.context(user_id="u_1", properties={"plan": "pro"}):
            track("export")

    Contexts may be nested: the inner one wins, property by property. What is
    passed to `track()` itself wins over all of them. It can also decorate a
    function, plain or `async`, and one object can be used any number of times.

    Args:
        anonymous_id: The browser's id of the visitor. None means that of the
            context around this one.
        user_id: Your own id of the user. None means the same.
        properties: Values as in `track()`, which checks them.
    """

    def __init__(
        self,
        anonymous_id: str | None = None,
        user_id: str | None = None,
        properties: Properties | None = None,
    ) -> None:
        self._anonymous_id = anonymous_id
        self._user_id = user_id
        self._properties = dict(properties or {})

    def __enter__(self) -> None:
        below = _top.get()
        _top.set(_Layer(self._over(below.value), self, below))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        top = _top.get()
        # Frameworks run the two halves of a generator on different threads. There
        # is nothing to take away where nothing was put, which is why this does not
        # use the variable's tokens: they raise there.
        if top.opened_by is self:
            _top.set(top.below or _ground)

    def __call__(self, function: Function) -> Function:
        """Open this context in every call of `function`.

        Raises:
            TypeError: If it is a generator function, whose body runs when its
                caller asks for a value, in the caller's context.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(
            function
        ):
            raise TypeError(
                f"context() cannot decorate the generator {function.__qualname__}:"
                " write `with context(...):` in its body"
            )
        if inspect.iscoroutinefunction(function):
            return cast(Function, self._around_coroutine(function))

        @wraps(function)
        def in_context(*args: Any, **kwargs: Any) -> Any:
            with self:
                return function(*args, **kwargs)

        return cast(Function, in_context)

    def _around_coroutine(
        self, function: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        @wraps(function)
        async def in_context(*args: Any, **kwargs: Any) -> Any:
            with self:
                return await function(*args, **kwargs)

        return in_context

    def _over(self, below: EventContext) -> EventContext:
        return EventContext(
            below.anonymous_id if self._anonymous_id is None else self._anonymous_id,
            below.user_id if self._user_id is None else self._user_id,
            MappingProxyType({**below.properties, **self._properties}),
        )
