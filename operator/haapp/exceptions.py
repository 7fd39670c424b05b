"""What can go wrong between the operator and the API server.

    ApiError                 the server answered with an error, or did not answer
    +-- Forbidden            401, 403: the operator lacks a right, or a quota or policy refuses
    +-- NotFound             404: no such object, namespace or API
    +-- Conflict             409: another object or version stands there
    +-- Refused              400, 413, 422: this object is never accepted as it is
    +-- Throttled            429: come back later (`retry_after` seconds)
    +-- Unavailable          5xx, a broken connection, a time-out: worth another try
    NotLeading               a write was withheld, since this process does not hold the lease

`InvalidSpec` (haapp.api) and `RenderError` (haapp.render) belong to what the user wrote.
"""

from __future__ import annotations

import math


class ApiError(Exception):
    """A request that did not succeed.

    Attributes: `status` is the HTTP status (0 without an answer), `reason` the server's machine-readable reason,
    `message` its sentence, `request` the verb and path.
    """

    def __init__(self, message: str, *, status: int = 0, reason: str = "", request: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.reason = reason
        self.request = request

    def __str__(self) -> str:
        return f"{self.request}: {self.message}" if self.request else self.message


class Forbidden(ApiError):
    """The server knows the operator and says no."""


class NotFound(ApiError):
    """There is nothing at that path."""


class Conflict(ApiError):
    """Another object, or another version of it, stands there."""


class Refused(ApiError):
    """The object itself is not acceptable; only a change of it helps."""


class Throttled(ApiError):
    """The server asks for patience: `retry_after` in seconds."""

    def __init__(self, message: str, *, retry_after: float = 1.0, request: str = "") -> None:
        super().__init__(message, status=429, reason="TooManyRequests", request=request)
        self.retry_after = retry_after


class Unavailable(ApiError):
    """No answer, or one that says that the server itself has a fault."""


class NotLeading(Exception):
    """A write was withheld, since the lease is not, or no longer, held by this process."""


BY_STATUS: dict[int, type[ApiError]] = {
    400: Refused,
    401: Forbidden,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Refused,
    422: Refused,
}


def from_answer(status: int, body: object, *, retry_after: str | None, request: str) -> ApiError:
    """The typed error for an answer of the API server: `body` is its decoded Status object, if it sent one."""
    details = body if isinstance(body, dict) else {}
    message = str(details.get("message") or f"HTTP {status}")
    if status == 429:
        return Throttled(message, retry_after=_seconds(retry_after), request=request)
    kind = BY_STATUS.get(status, Unavailable if status >= 500 else ApiError)
    return kind(message, status=status, reason=str(details.get("reason") or ""), request=request)


MOST_PATIENCE = 300.0
"""Seconds: no answer keeps the operator from an app for longer."""


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text) if text else 1.0
    except ValueError:
        return 1.0
    return 1.0 if math.isnan(seconds) else min(MOST_PATIENCE, max(0.0, seconds))
