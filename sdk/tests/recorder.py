"""A transport that carries nothing: it keeps what it gets and replies by a script."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from clamp_analytics._exchange import Answer

OK = Answer(200, '{"ok":true}')


@dataclass(frozen=True)
class Post:
    """One call of `post`."""

    path: str
    content: bytes
    headers: Mapping[str, str] | None
    compress: bool

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def names(self) -> list[str]:
        """Of the events of a batch, or of the one event."""
        body = self.body
        return [event["name"] for event in body.get("events", [body])]


# An answer, what is raised, or what says which of the two it is to be.
Reply = Union[Answer, Exception, Callable[[Post], Union[Answer, Exception]]]


class Recorder:
    """Gives its replies one after the other, and the last one for ever.

    Attributes:
        posts: What came, in its order.
        may_reply: A test that clears it holds every request at the door.
        is_retired: Whether connections would have been closed.
    """

    def __init__(self, *replies: Reply) -> None:
        self.posts: list[Post] = []
        self.may_reply = threading.Event()
        self.may_reply.set()
        self.is_retired = False
        self._replies = list(replies) or [OK]
        self._came = threading.Condition()

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        compress: bool = False,
    ) -> Answer:
        post = Post(path, body, headers, compress)
        with self._came:
            self.posts.append(post)
            reply = self._replies[0]
            if len(self._replies) > 1:
                del self._replies[0]
            self._came.notify_all()
        assert self.may_reply.wait(timeout=30)
        said = reply(post) if callable(reply) else reply
        if isinstance(said, Exception):
            raise said
        return said

    def retire(self) -> None:
        self.is_retired = True

    def wait_for_posts(self, count: int) -> list[Post]:
        """Wait until so many came."""
        with self._came:
            assert self._came.wait_for(lambda: len(self.posts) >= count, timeout=30)
        return self.posts
