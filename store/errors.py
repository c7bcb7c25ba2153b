"""The tree of errors. Every error a caller can meet descends from ScenewiseError.

It lives in the lowest room because imports point down only (docs/adr/0001). Messages never hold a user's or an item's text.
"""

from __future__ import annotations


class ScenewiseError(Exception):
    """Base of all errors; `status` is the HTTP status a server answers with, `exit_code` what a command ends with."""

    status = 500
    exit_code = 1


class InputError(ScenewiseError):
    """What the caller passed cannot be used; the message says what would be."""

    status = 400
    exit_code = 2


class NotAllowed(ScenewiseError):
    """The caller may not do this."""

    status = 403
    exit_code = 4


class NotFound(ScenewiseError):
    """No such user, item, scene, turn or file."""

    status = 404
    exit_code = 3


class Busy(ScenewiseError):
    """Somebody else holds what is needed; try again after `retry_after_s` seconds."""

    status = 503
    exit_code = 5

    def __init__(self, message: str, *, retry_after_s: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ToolError(ScenewiseError):
    """A tool could not do its work."""


class RetryTool(ToolError):
    """The arguments were wrong; a corrected call may succeed."""


class ToolFailed(ToolError):
    """The tool itself failed; calling again with the same arguments will not help."""


class ModelError(ScenewiseError):
    """The LLM is absent, too slow, or answered something unusable; `reason` is a short word for records."""

    exit_code = 6

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreError(ScenewiseError):
    """The store cannot be opened, read or written."""

    exit_code = 7


class Stop(ScenewiseError):
    """A limit ended the work."""


class StepLimit(Stop):
    """Too many steps."""


class TimeLimit(Stop):
    """Out of time."""


class BudgetLimit(Stop):
    """Out of tokens."""
