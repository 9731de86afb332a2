"""Pages of the shop."""

from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse

from clamp_analytics import revenue, track

PRICES = {"mug": Decimal("12.50"), "beans": Decimal("9.00")}


def show(request: HttpRequest, item: str) -> HttpResponse:
    """An item."""
    if item not in PRICES:
        raise Http404
    # No id here: the middleware has read it from the visitor's cookie.
    track("item_viewed", {"item": item})
    return HttpResponse(f"{item}: {PRICES[item]} EUR")


def buy(request: HttpRequest, item: str) -> HttpResponse:
    """A purchase, as money."""
    if item not in PRICES:
        raise Http404
    revenue(PRICES[item], "EUR", product=item)
    return HttpResponse("Thank you")


def broken(request: HttpRequest, order_id: int) -> HttpResponse:
    """Fails, so that an error can be seen to arrive."""
    raise RuntimeError("the order is not finished")


def sorry(request: HttpRequest) -> HttpResponse:
    """The page for errors; Clamp has seen the error before."""
    return HttpResponse("Sorry, that was our fault", status=500)
