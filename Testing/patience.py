"""How long a test waits for what must come: so long that only a test that hangs is ended by it."""

import time

SECONDS = 300.0


def wait_until(condition, meanwhile=lambda: None):
    """Wait until ``condition()`` is true; return what it returned, and call ``meanwhile`` in between."""
    deadline = time.monotonic() + SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it has not happened"
        meanwhile()
        time.sleep(0.01)
    return found
