"""A 3D surface that is shown comes back after the clicks, not between them."""

import pytest

from SAMUNetSlicerLib.app.session import surfaceRefresh
from SAMUNetSlicerLib.scene.segments import hasClosedSurface


@pytest.fixture
def node(desk):
    """A segmentation with a segment and its surface."""
    desk.click(12, 20)
    desk.session.segmentationNode.CreateClosedSurfaceRepresentation()
    return desk.session.segmentationNode


def test_clicks_in_a_row_do_not_wait_for_the_surface(desk, node):
    for x in (14, 16, 18):
        desk.click(x, 20)
        assert not hasClosedSurface(node)


def test_the_surface_comes_back_when_the_user_pauses(desk, node, monkeypatch):
    desk.click(14, 20)
    monkeypatch.setattr(surfaceRefresh, "_QUIET_SECONDS", 0.0)
    desk.session.poll()
    assert hasClosedSurface(node)


def test_the_surface_is_back_when_the_session_is_closed(desk, node):
    desk.click(14, 20)
    desk.session.close()
    assert hasClosedSurface(node)


def test_no_surface_is_made_where_there_was_none(desk, monkeypatch):
    monkeypatch.setattr(surfaceRefresh, "_QUIET_SECONDS", 0.0)
    desk.click(12, 20)
    desk.session.poll()
    assert not hasClosedSurface(desk.session.segmentationNode)
