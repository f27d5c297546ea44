"""What the page asks for when a segment is to be carried to other slices, without a browser."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from app.desk import Desk
from SAMUNetSlicerLib.app.files import startScene
from SAMUNetSlicerLib.errors import UserError
from SAMUNetSlicerLib.scene.geometry import planeFromNormal
from SAMUNetSlicerLib.viewer.work import Propagation, Status


class State(SimpleNamespace):
    def update(self, values):
        self.__dict__.update(values)


@pytest.fixture
def desk():
    """A desk with a page's state."""
    with startScene() as host:
        desk = Desk(host.scene)
        desk.state = State()
        desk.propagation = Propagation(desk.state, desk.session, None, Status(desk.state))
        yield desk
        desk.propagation.close()
        desk.session.close()


def carry(desk, method):
    """Carry the segment on until that ends; return how many slices the network was asked about."""
    requests = []
    predict = desk.engine.service.predict
    desk.engine.service.predict = lambda *job, **named: requests.append(job) or predict(*job, **named)
    desk.propagation.start(method, "both")
    while desk.state.progress is not None:
        desk.session.poll()
    return len(requests)


def test_a_vote_of_axes_asks_about_slices_of_all_axes(desk):
    desk.session.addBox((12, 10), (25, 22), desk.plane(4))
    desk.session.waitUntilIdle()
    along_one = carry(desk, "propagate")
    assert "slices segmented" in desk.state.statusText
    desk.session.undo()
    assert carry(desk, "consensus") > 2 * along_one > 0
    assert "slices segmented" in desk.state.statusText


def test_where_it_ended_is_said_with_the_reason(desk):
    predict = desk.engine.service.predict

    def doubt(*job, **named):
        report = predict(*job, **named)
        return replace(report, prediction=replace(report.prediction, confidence=0.1))

    desk.session.addBox((12, 10), (25, 22), desk.plane(4))
    desk.session.waitUntilIdle()
    desk.engine.service.predict = doubt
    carry(desk, "propagate")
    assert "Slice 5: the confidence is too low" in desk.state.statusText


def test_an_oblique_slice_cannot_be_put_to_the_vote_and_no_progress_is_shown(desk):
    plane = planeFromNormal(desk.volume, desk.plane(4).pixelToRAS([(20, 20)])[0], (0.0, 0.5, 1.0))
    desk.session.setPlane(plane)
    height, width = plane.shape
    desk.session.addPoint((width // 2, height // 2), True, plane)
    desk.session.waitUntilIdle()
    with pytest.raises(UserError):
        desk.propagation.start("consensus", "both")
    assert desk.state.progress is None
