"""A small blog on Flask. Start it with `python examples/flask_blog/app.py`.

Where events go is in the environment: CLAMP_PROJECT_ID, CLAMP_API_KEY and
CLAMP_ENDPOINT. Without them the blog runs, and says once that nothing is sent.
"""

from __future__ import annotations

import os

from flask import Blueprint, Flask, abort

from clamp_analytics import track
from clamp_analytics.integrations.flask import Clamp

POSTS = {"hello": "Hello", "second": "The second post"}

clamp = Clamp()
blog = Blueprint("blog", __name__)


@blog.get("/posts/<slug>")
def show(slug: str) -> str:
    """A post, and an event of the visitor who reads it."""
    if slug not in POSTS:
        abort(404)
    # No id here: the extension has read it from the visitor's cookie.
    track("post_read", {"slug": slug})
    return POSTS[slug]


@blog.post("/subscribe")
def subscribe() -> str:
    """A new reader."""
    track("signup", {"plan": "newsletter"})
    return "Welcome"


@blog.get("/broken")
def broken() -> str:
    """Fails, so that an error can be seen to arrive."""
    raise RuntimeError("the draft is not finished")


def create_app() -> Flask:
    """Make the application."""
    app = Flask(__name__)
    clamp.init_app(app)
    app.register_blueprint(blog)
    app.register_error_handler(500, lambda _: ("Sorry, that was our fault", 500))
    return app


if __name__ == "__main__":
    create_app().run(port=int(os.environ.get("PORT", "8000")))
