"""The time as it is noted in files."""

import datetime


def utcNow() -> str:
    """UTC, ISO 8601 with milliseconds."""
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
