"""Ways through the shop."""

from itertools import pairwise
from random import Random

from clamp_server.demo.site import LANDINGS, MOST_PAGES, NEXT, walk


def test_a_walk_lands_somewhere_and_follows_links() -> None:
    dice = Random(4)
    walks = [walk(dice) for _ in range(20_000)]

    assert {paths[0] for paths in walks} == set(LANDINGS)
    assert {path for paths in walks for path in paths} == set(NEXT)
    assert {len(paths) for paths in walks} == set(range(1, MOST_PAGES + 1))
    for paths in walks:
        for path, following in pairwise(paths):
            assert following in NEXT[path]
