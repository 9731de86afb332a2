"""Settings of the shop."""

import os
import secrets

SECRET_KEY = os.environ.get("SECRET_KEY") or secrets.token_urlsafe(50)
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "shop.urls"
USE_TZ = True

INSTALLED_APPS = [
    "clamp_analytics.integrations.django.ClampConfig",
]
MIDDLEWARE = [
    # First, so that what the others track is linked to the visitor as well.
    "clamp_analytics.integrations.django.ClampMiddleware",
    "django.middleware.common.CommonMiddleware",
]

# The project, the key and the address are in the environment. All of `init()` can
# be here, and how the middleware behaves.
CLAMP = {
    "TRACK_REQUESTS": False,
    "DEFAULT_PROPERTIES": {"shop": "django"},
}
