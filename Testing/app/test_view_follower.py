"""The session follows the slice views, and encodes around what they show."""

import numpy as np
import pytest
import slicer

from SAMUNetSlicerLib.app.engines import SquarePixels
from SAMUNetSlicerLib.app.files import addSliceNode
from SAMUNetSlicerLib.app.session import Prefetcher, ViewFollower
from SAMUNetSlicerLib.engine.windowing import WindowSetting
from SAMUNetSlicerLib.scene.geometry import planeFromAxis, planeFromNormal, planeFromSliceNode
from scene.segmentation_scene import add_volume, put_under_transform, rotation


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def views(host, desk):
    """Three views of the volume, mouse in none of them."""
    host.scene.AddNode(slicer.vtkMRMLCrosshairNode())
    names = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}
    views = {name: addSliceNode(host, name, orientation, (300, 300)) for name, orientation in names.items()}
    for view in views.values():
        view.show(desk.volume)
    return views


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def follower(desk, views, clock):
    follower = ViewFollower(desk.session, clock=clock)
    yield follower
    follower.close()


def put_mouse(host, view):
    crosshair = host.scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    if view is None:
        crosshair.SetCursorPositionInvalid()
    else:
        crosshair.SetCursorPositionXYZ([10.0, 10.0, 0.0], view.node)


def wait(desk, clock):
    """Until scrolling counts as ended, and everything that follows is done."""
    desk.session.poll()
    clock.now += 1
    for _ in range(400):
        desk.session.poll()


def test_the_view_under_the_mouse_sets_the_slice(host, desk, views, follower):
    for view in views.values():
        put_mouse(host, view)
        desk.session.poll()
        assert desk.session.plane.sameAs(planeFromSliceNode(view.node, desk.volume))
        assert follower.usedNode is view.node


def test_scrolling_moves_the_slice(host, desk, views, follower):
    put_mouse(host, views["Red"])
    desk.session.poll()
    for offset in (2.5, 5.0, 7.5):
        views["Red"].setOffset(offset)
        desk.session.poll()
        assert desk.session.plane.index == round(offset / 2.5)


def test_a_view_is_used_when_it_is_scrolled_with_the_mouse_elsewhere(host, desk, views, follower):
    put_mouse(host, None)
    views["Green"].setOffset(6.0)
    desk.session.poll()
    assert desk.session.plane.axis == "J"
    views["Yellow"].setOffset(-9.0)
    desk.session.poll()
    assert desk.session.plane.axis == "I"


def test_views_that_follow_the_crosshair_do_not_take_the_slice_from_the_one_with_the_mouse(
    host, desk, views, follower
):
    put_mouse(host, views["Red"])
    views["Green"].setOffset(6.0)
    desk.session.poll()
    assert desk.session.plane.axis == "K"


def test_an_oblique_view_gives_an_oblique_slice(host, desk, views, follower):
    put_mouse(host, views["Red"])
    views["Red"].setOblique((0.3, 0, 1), (1, 0, -0.3), (15, 12, 10))
    desk.session.poll()
    assert desk.session.plane.axis is None
    assert desk.session.plane.sameAs(planeFromSliceNode(views["Red"].node, desk.volume))


def test_a_view_beside_the_volume_shows_no_slice_of_it(host, desk, views, follower):
    put_mouse(host, views["Red"])
    heard = []
    follower.planeChanged.connect(lambda node, plane: heard.append((node, plane)))
    views["Red"].setOffset(500.0)
    desk.session.poll()
    assert desk.session.plane is None and heard == [(views["Red"].node, None)]
    assert follower.plane(views["Red"].node) is None


def test_another_volume_and_its_transform_give_their_own_slices(host, desk, views, follower):
    other = add_volume(host.scene, (12, 30, 20), rotation(30, (1, 0, 0)) @ np.diag([1, 1, 3, 1]), name="B")
    put_mouse(host, views["Red"])
    desk.session.setVolume(other)
    views["Red"].show(other)
    desk.session.poll()
    assert desk.session.plane.sameAs(planeFromSliceNode(views["Red"].node, other))
    put_under_transform(host.scene, other, rotation(10, (0, 1, 0)))
    desk.session.poll()
    assert desk.session.plane.sameAs(planeFromSliceNode(views["Red"].node, other))


def test_panning_and_zooming_change_nothing(host, desk, views, follower):
    put_mouse(host, views["Red"])
    desk.session.poll()
    said = []
    desk.session.statusChanged.connect(lambda: said.append(1))
    views["Red"].node.SetFieldOfView(20.0, 20.0, 1.0)
    views["Red"].node.SetXYZOrigin(3.0, 4.0, 0.0)
    desk.session.poll()
    assert said == []


def encoded(desk):
    """What the engine was asked to encode, as the bytes of the images, in order."""
    return [job.arguments["image"].tobytes() for job in desk.engine.waiting("encode")]


def image_of(desk, plane):
    workspace = desk.session.workspace
    image = workspace.images.image(desk.volume, plane, workspace.window())
    return SquarePixels(plane.shape, plane.spacing).image(image).tobytes()


def test_slices_around_all_shown_ones_are_encoded_those_of_the_used_view_first(
    host, desk, views, follower, clock
):
    put_mouse(host, views["Green"])
    desk.session.poll()
    desk.engine.is_automatic = False
    clock.now += 1
    for _ in range(8):
        desk.session.poll()
    shown = [planeFromSliceNode(views[name].node, desk.volume) for name in ("Green", "Red", "Yellow")]
    assert encoded(desk)[:3] == [image_of(desk, plane) for plane in shown]
    around = [planeFromAxis(desk.volume, plane.axis, plane.index + 1) for plane in shown]
    before = [planeFromAxis(desk.volume, plane.axis, plane.index - 1) for plane in shown]
    nearest = {image_of(desk, plane) for plane in (*around, *before)}
    assert set(encoded(desk)[3:]) <= nearest and len(encoded(desk)) == 8


def test_in_the_end_every_slice_of_every_view_is_ready(host, desk, views, follower, clock):
    put_mouse(host, views["Red"])
    desk.session.poll()
    wait(desk, clock)
    for axis, count in zip("IJK", (50, 40, 10)):
        assert all(desk.session.isReady(desk.plane(index, axis)) for index in range(count))


def test_a_hidden_view_encodes_nothing(host, desk, views, follower, clock):
    for name in ("Green", "Yellow"):
        views[name].node.SetMappedInLayout(False)
    put_mouse(host, views["Red"])
    wait(desk, clock)
    assert desk.session.isReady(desk.plane(0)) and not desk.session.isReady(desk.plane(5, "J"))


def test_nothing_is_encoded_while_the_user_scrolls(host, desk, views, follower, clock):
    put_mouse(host, views["Red"])
    desk.session.poll()
    desk.engine.is_automatic = False
    for step in range(8):
        views["Red"].setOffset(2.5 * step)
        clock.now += 0.1
        desk.session.poll()
    assert encoded(desk) == []


def test_a_click_pauses_encoding_ahead_until_its_mask_is_there(host, desk, views, follower, clock):
    put_mouse(host, views["Red"])
    desk.session.addSegment("A")
    desk.session.poll()
    desk.engine.is_automatic = False
    clock.now += 1
    desk.session.poll()
    count = len(encoded(desk))
    desk.session.addPoint((12, 20))
    for _ in range(5):
        desk.session.poll()
    assert len(encoded(desk)) == count
    desk.engine.answer("predict")
    for _ in range(3):
        desk.session.poll()
    assert len(encoded(desk)) > count


def test_closing_ends_encoding_ahead(host, desk, views, follower, clock):
    put_mouse(host, views["Red"])
    desk.session.poll()
    desk.engine.is_automatic = False
    clock.now += 1
    desk.session.poll()
    assert encoded(desk)
    follower.close()
    follower.close()
    views["Red"].setOffset(0.0)
    clock.now += 1
    desk.session.poll()
    assert encoded(desk) == []


def test_encoding_ahead_can_be_switched_off_and_on(host, desk, views, follower, clock):
    follower.isPrefetching = False
    put_mouse(host, views["Red"])
    wait(desk, clock)
    assert not desk.session.isReady(desk.plane(3))
    follower.isPrefetching = True
    wait(desk, clock)
    assert desk.session.isReady(desk.plane(3))


def test_a_new_window_encodes_anew(host, desk, views, follower, clock):
    put_mouse(host, views["Red"])
    wait(desk, clock)
    desk.session.setWindow(WindowSetting("manual", 0.0, 100.0))
    assert not desk.session.isReady(desk.plane(3))
    wait(desk, clock)
    assert desk.session.isReady(desk.plane(3))


def test_views_may_come_and_go(host, desk, views, follower):
    view = addSliceNode(host, "Slice4", "Axial", (300, 300))
    view.show(desk.volume)
    put_mouse(host, view)
    desk.session.poll()
    assert follower.usedNode is view.node
    put_mouse(host, None)
    host.applicationLogic.GetSliceLogics().RemoveItem(view.logic)
    view.logic.SetMRMLScene(None)
    host.scene.RemoveNode(view.node)
    desk.session.poll()
    assert follower.usedNode in [view.node for view in views.values()]


def test_a_slice_between_two_voxels_is_the_nearest_one(host, desk, views, follower):
    put_mouse(host, views["Red"])
    views["Red"].setOffset(5.9)
    desk.session.poll()
    assert desk.session.plane.sameAs(planeFromNormal(desk.volume, (0, 0, 5.0), (0, 0, 1)))


@pytest.fixture
def prefetcher(desk, clock):
    desk.engine.is_automatic = False
    prefetcher = Prefetcher(desk.engine, clock)
    planes = [desk.plane(4), desk.plane(20, "J")]
    prefetcher.want(planes, 1000, desk.volume, desk.session.workspace.window())
    return prefetcher


def test_a_mouse_on_its_way_to_a_click_finds_the_engine_free(desk, prefetcher, clock):
    for _ in range(6):
        prefetcher.tick()
    asked = encoded(desk)
    prefetcher.hold()
    assert encoded(desk) == asked[:1], "the slice in use is not given up"
    for _ in range(20):
        clock.now += 0.05
        prefetcher.hold()
        prefetcher.tick()
    assert len(encoded(desk)) == 1
    clock.now += 0.6
    for _ in range(5):
        prefetcher.tick()
    assert encoded(desk) == asked, "what was withdrawn comes first again"


def test_a_mouse_that_moves_does_not_keep_the_slice_in_use_from_being_encoded(desk, prefetcher, clock):
    prefetcher.hold()
    prefetcher.tick()
    prefetcher.tick()
    (image,) = encoded(desk)
    assert image == image_of(desk, desk.plane(4))


def test_holding_loses_no_slice(desk, prefetcher, clock):
    progress = []
    prefetcher.advanced.connect(lambda done, total: progress.append((done, total)))
    for turn in range(300):
        clock.now += 0.2
        prefetcher.tick()
        if turn % 7 == 3:
            prefetcher.hold()
        if turn % 2 and desk.engine.waiting("encode"):
            desk.engine.answer("encode")
    assert progress[-1] == (50, 50)
    window = desk.session.workspace.window()
    assert all(prefetcher.isReady(desk.volume, desk.plane(index), window) for index in range(10))
    assert all(prefetcher.isReady(desk.volume, desk.plane(index, "J"), window) for index in range(40))


def test_whatever_else_is_asked_of_the_engine_has_it_to_itself(desk, prefetcher, clock):
    for _ in range(6):
        prefetcher.tick()
    asked = encoded(desk)
    other = desk.engine.encode(np.zeros((8, 8), np.uint8))  # as a propagation encodes ahead
    prefetcher.tick()
    (job,) = desk.engine.jobs
    assert job.ticket == other.number
    desk.engine.answer()
    clock.now += 0.3
    prefetcher.tick()
    assert not desk.engine.jobs, "the next slice of the propagation may come at once"
    clock.now += 0.3
    for _ in range(6):
        prefetcher.tick()
    assert encoded(desk) == asked, "what was withdrawn comes first again"
