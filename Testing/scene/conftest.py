"""A real Slicer scene for each test, without the Slicer application."""

import pytest

from SAMUNetSlicerLib.app.files import startScene


@pytest.fixture
def host():
    """An empty scene with its logics, emptied again after the test."""
    with startScene() as host:
        yield host


@pytest.fixture
def scene(host):
    return host.scene
