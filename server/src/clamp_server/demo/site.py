"""The pages of the coffee shop, and how people find their way through them."""

from __future__ import annotations

from random import Random

from clamp_server.demo.cast import drawn

# A page that nobody reads: the shop was left.
GONE = ""
MOST_PAGES = 12

LANDINGS = {
    "/": 35,
    "/beans": 14,
    "/beans/yirgacheffe": 12,
    "/beans/huila": 6,
    "/plans": 15,
    "/journal/water": 10,
    "/journal/grind": 8,
}
# Of a hundred who read a page, how many go where: the fewer, the further in.
NEXT = {
    "/": {"/beans": 32, "/plans": 25, "/journal/water": 8, "/about": 5, GONE: 30},
    "/about": {"/beans": 22, "/plans": 14, GONE: 64},
    "/beans": {
        "/beans/yirgacheffe": 34,
        "/beans/huila": 24,
        "/plans": 10,
        GONE: 32,
    },
    "/beans/yirgacheffe": {"/cart": 30, "/beans/huila": 18, GONE: 52},
    "/beans/huila": {"/cart": 27, "/beans/yirgacheffe": 14, GONE: 59},
    "/cart": {"/checkout": 58, "/beans": 12, GONE: 30},
    "/checkout": {"/thanks": 66, GONE: 34},
    "/thanks": {"/plans": 12, GONE: 88},
    "/plans": {"/signup": 36, "/beans": 12, "/about": 5, GONE: 47},
    "/signup": {"/welcome": 62, GONE: 38},
    "/welcome": {"/billing": 64, "/beans": 10, GONE: 26},
    "/billing": {"/billing/done": 71, GONE: 29},
    "/billing/done": {"/beans": 10, GONE: 90},
    "/journal/water": {"/journal/grind": 26, "/beans": 20, GONE: 54},
    "/journal/grind": {"/journal/water": 12, "/beans": 24, GONE: 64},
}


def walk(dice: Random) -> list[str]:
    """Draw the pages of a visit, from where it lands to where it ends."""
    path = drawn(LANDINGS, dice)
    paths: list[str] = []
    while path != GONE and len(paths) < MOST_PAGES:
        paths.append(path)
        path = drawn(NEXT[path], dice)
    return paths
