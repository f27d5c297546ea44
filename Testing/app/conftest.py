"""A real Slicer scene with a volume and a session on a fake engine."""

import pytest

from app.desk import Desk
from app.propagation_desk import Way
from SAMUNetSlicerLib.app.files import startScene


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


@pytest.fixture
def way(host):
    way = Way(host.scene)
    yield way
    way.propagator.close()
    way.session.close()
