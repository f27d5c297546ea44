"""Several axes are asked, and the segment becomes what they hold together."""

from itertools import pairwise

import numpy as np
import pytest

from app.propagation_desk import Way
from SAMUNetSlicerLib.app.propagation import PropagationOptions
from SAMUNetSlicerLib.engine.serving import EncodeReport, PredictReport
from SAMUNetSlicerLib.engine.types import Prediction
from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.scene.geometry import extractSlice, planeFromAxis, planeFromNormal
from scene.segmentation_scene import add_volume, voxels_of

SHAPE = (12, 20, 24)  # K, J, I
KEY = 6
ALL = ("I", "J", "K")
BODY = (slice(3, 10), slice(5, 15), slice(6, 18))


class Axes(Way):
    """A propagator on a volume of cubes; the network sees a shape of its own along each axis."""

    def __init__(self, scene):
        super().__init__(scene)
        random = np.random.default_rng(0)
        self.volume = add_volume(
            scene, ijk_to_ras=np.eye(4), array=random.integers(-1000, 1000, SHAPE, dtype=np.int16)
        )
        self.session.setVolume(self.volume)
        self.session.setPlane(self.plane(KEY))

    def see(self, shapes, confidence=None, sureness=None):
        """:param shapes: (K, J, I) bool by axis; ``confidence``, ``sureness`` (size of logits): by axis."""
        images = self.session.workspace.images
        known = {}
        for axis, length in zip("KJI", SHAPE):
            node = add_volume(self.scene, ijk_to_ras=np.eye(4), array=shapes[axis].astype(np.uint8))
            for index in range(length):
                image = images.image(self.volume, self.plane(index, axis), self.session.workspace.window())
                shown = extractSlice(node, planeFromAxis(node, axis, index)).astype(bool)
                known[image.tobytes()] = axis, shown

        def predict(image, prompts):
            axis, mask = known[image.tobytes()]
            logits = np.where(mask, 1, -1) * np.float32((sureness or {}).get(axis, 8.0))
            low = np.zeros((1, 64, 64), np.float32)
            sure = (confidence or {}).get(axis, 0.9)
            prediction = Prediction(mask, logits.astype(np.float32), low, sure, prompts.boxes)
            return PredictReport(prediction, EncodeReport("", "memory", 0.0), 0.1)

        self.engine.service.predict = predict

    def prompt(self):
        self.box(KEY, ((6, 5), (18, 15)))

    def voxels(self, segment=None):
        return voxels_of(self.session.segmentationNode, segment or self.session.segmentId, SHAPE)


@pytest.fixture
def axes(host):
    axes = Axes(host.scene)
    yield axes
    axes.propagator.close()
    axes.session.close()


def body(*without, more=()):
    """The common shape, without some voxels (K, J, I) and with more."""
    shape = np.zeros(SHAPE, bool)
    shape[BODY] = True
    for voxel in without:
        shape[voxel] = False
    for voxel in more:
        shape[voxel] = True
    return shape


def test_each_voxel_becomes_what_two_of_three_axes_hold(axes):
    hole, bump = (4, 8, 9), (8, 15, 9)
    axes.see({"K": body(hole, (5, 9, 9), more=[bump]), "J": body(), "I": body((5, 9, 9))})
    axes.prompt()
    axes.run(axes=ALL)
    # J and I fill the hole of K, K and I make another one against J, and the bump of K alone goes.
    np.testing.assert_array_equal(axes.voxels(), body((5, 9, 9)))


def test_of_two_axes_that_disagree_the_surer_slice_counts(axes):
    shapes = {"K": body((4, 8, 9)), "J": body((8, 8, 9)), "I": body()}
    axes.see(shapes, confidence={"K": 0.6, "J": 0.95})
    axes.prompt()
    axes.run(axes=("J",))
    np.testing.assert_array_equal(axes.voxels()[3:KEY], body()[3:KEY])  # J knows better about the hole of K
    np.testing.assert_array_equal(axes.voxels()[8], shapes["J"][8])


def test_the_mean_follows_one_sure_axis_against_two_that_hesitate(axes):
    shapes = {"K": body(), "J": body((4, 8, 9)), "I": body((4, 8, 9))}
    axes.see(shapes, sureness={"J": 0.5, "I": 0.5})
    axes.prompt()
    axes.run(axes=ALL, fusion="mean")
    np.testing.assert_array_equal(axes.voxels(), body())
    assert axes.origin(4) == {"method": "consensus", "axes": ["K", "I", "J"], "fusion": "mean"}
    axes.session.undo()
    axes.run(axes=ALL)
    np.testing.assert_array_equal(axes.voxels(), shapes["J"])


def test_confidence_tells_where_the_axes_disagree(axes):
    odd = body()
    odd[4, 5:10] = False
    axes.see({"K": body(), "J": odd, "I": body()})
    axes.prompt()
    confidence = {each.plane.index: each.confidence for each in axes.run(axes=ALL).slices}
    assert confidence[4] < 0.8 and min(confidence[k] for k in confidence if k != 4) == 1


def test_what_was_prompted_or_painted_is_not_voted_on_and_all_is_one_undo_step(axes):
    axes.see({"K": body(), "J": body((KEY, 9, 9), (8, 9, 9)), "I": body((KEY, 9, 9), (8, 9, 9))})
    axes.prompt()
    axes.paint(axes.plane(8), rows=slice(6, 12), columns=slice(7, 15))
    before = axes.voxels()
    report = axes.run(axes=ALL)
    assert {plane.index for plane in report.keys} == {KEY, 8}
    for k in (KEY, 8):
        np.testing.assert_array_equal(axes.voxels()[k], before[k])
    axes.session.undo()
    np.testing.assert_array_equal(axes.voxels(), before)


def test_the_range_holds_for_the_fused_segment(axes):
    axes.see(dict.fromkeys(ALL, body()))
    axes.prompt()
    axes.run(axes=ALL, first=5, last=7)
    assert axes.filled() == [5, 6, 7]


def test_progress_never_goes_back_and_ends_full(axes):
    axes.see(dict.fromkeys(ALL, body()))
    axes.prompt()
    axes.run(axes=ALL)
    done, totals = zip(*axes.steps)
    assert list(done) == sorted(done) and all(later <= earlier for earlier, later in pairwise(totals))
    assert done[-1] == totals[-1] == 6 + 10 + 12  # slices of the body, one of them prompted


def test_cancel_while_the_other_axes_are_asked_keeps_the_first_one(axes):
    axes.see({"K": body(), "J": body((4, 8, 9)), "I": body((4, 8, 9))})
    axes.prompt()
    axes.engine.is_automatic = False
    axes.propagator.start(PropagationOptions(axes=ALL))
    # The key is learned from, each slice encoded and predicted; those of the second axis not to the end.
    axes.answer(1 + 2 * 6 + 10)
    assert axes.steps[-1][0] > 6
    axes.propagator.cancel()
    axes.engine.is_automatic = True
    axes.propagator.waitUntilFinished()
    assert axes.reports[-1].isCancelled
    np.testing.assert_array_equal(axes.voxels(), body())
    assert axes.origin(5)["method"] == "propagate"


def test_an_oblique_slice_cannot_be_put_to_the_vote(axes):
    plane = planeFromNormal(axes.volume, axes.plane(KEY).pixelToRAS([(10, 10)])[0], (0.2, 0.3, 1))
    axes.session.addSegment()
    axes.session.setPlane(plane)
    axes.session.addBox((8, 6), (16, 14))
    axes.session.waitUntilIdle()
    with pytest.raises(InputError, match="which an oblique slice does not allow"):
        axes.run(axes=("sagittal",))


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"method": "fill", "axes": ("I",)}, "not what is filled"),
        ({"axes": ("I",), "fusion": "best"}, "'best' is not a fusion"),
    ],
)
def test_what_cannot_be_fused_is_refused(options, sentence):
    with pytest.raises(InputError, match=sentence):
        PropagationOptions(**options)
