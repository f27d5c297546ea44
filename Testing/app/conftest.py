"""A real Slicer scene with a volume and a session on a fake engine."""

import pytest

from app.desk import Desk
from SAMUNetSlicerLib.app.headless import startScene


@pytest.fixture
def host():
    """An empty scene with its logics, emptied again after the test."""
    with startScene() as host:
        yield host


@pytest.fixture
def desk(host):
    desk = Desk(host.scene)
    yield desk
    desk.session.close()
