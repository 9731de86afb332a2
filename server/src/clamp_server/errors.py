"""Every error this package raises on purpose, as one tree.

ClampServerError
├── ConfigError              a setting or an argument cannot work
├── RefusedError             a request is answered with `status`, `code`, `message`
│   ├── InvalidRequestError      400  malformed, ill-typed or over a limit
│   ├── UnauthorizedError        401  no key, an unknown or a revoked one
│   ├── ForbiddenError           403  another project's key, a foreign origin
│   ├── NotFoundError            404  an unknown named thing
│   ├── ConflictError            409  a name that exists
│   ├── TooLargeError            413  a body over the limit
│   ├── UnsupportedTypeError     415  a content type nobody decodes
│   ├── RateLimitedError         429  over the project's rate limit
│   └── StoreUnavailableError    503  the store cannot take or tell it now
└── CatalogError             the catalog refuses a change
"""

from __future__ import annotations

from typing import ClassVar


class ClampServerError(Exception):
    """Anything this package raises on purpose."""


class ConfigError(ClampServerError):
    """A setting or a command's argument cannot work; the message says which."""


class CatalogError(ClampServerError):
    """The catalog refuses a change; the message says why and what to do."""


class RefusedError(ClampServerError):
    """A request that gets an error for an answer.

    Attributes:
        status: HTTP status of the answer.
        code: Machine-readable word of the answer's `error` field.
        message: Which field, what was got, what is allowed. Never holds a key.
        retry_after_s: Whole seconds for `Retry-After`; None where waiting
            cannot help.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "bad_request"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.retry_after_s = retry_after_s


class InvalidRequestError(RefusedError):
    """Malformed JSON, an ill-typed field, a broken limit, a bad parameter."""

    status = 400
    default_code = "invalid_request"


class UnauthorizedError(RefusedError):
    """No key, an unknown key, a revoked key."""

    status = 401
    default_code = "unauthorized"


class ForbiddenError(RefusedError):
    """The key belongs to another project, or the origin is not allowed."""

    status = 403
    default_code = "forbidden"


class NotFoundError(RefusedError):
    """A named thing that does not exist."""

    status = 404
    default_code = "not_found"


class ConflictError(RefusedError):
    """A name that exists already."""

    status = 409
    default_code = "conflict"


class TooLargeError(RefusedError):
    """A body over the endpoint's limit."""

    status = 413
    default_code = "body_too_large"


class UnsupportedTypeError(RefusedError):
    """A content type or content encoding that the endpoint does not decode."""

    status = 415
    default_code = "unsupported_media_type"


class RateLimitedError(RefusedError):
    """Over the project's rate limit."""

    status = 429
    default_code = "rate_limited"


class StoreUnavailableError(RefusedError):
    """Queue full, disk full, store down: nothing of the request was stored."""

    status = 503
    default_code = "store_unavailable"
