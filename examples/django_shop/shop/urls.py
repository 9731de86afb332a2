"""Addresses of the shop."""

from django.urls import path

from shop import views

urlpatterns = [
    path("items/<slug:item>/", views.show, name="show"),
    path("items/<slug:item>/buy", views.buy, name="buy"),
    path("broken/<int:order_id>", views.broken, name="broken"),
]
handler500 = views.sorry
