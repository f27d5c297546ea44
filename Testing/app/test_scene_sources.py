"""What is in a scene already becomes prompts: rough segmentations of each volume, and markups."""

import numpy as np
import pytest

from SAMUNetSlicerLib.app.prompts import BoxesOfSegmentations, SliceChoice, markupsOf
from SAMUNetSlicerLib.errors import PromptError
from SAMUNetSlicerLib.scene.geometry import planeFromAxis
from SAMUNetSlicerLib.scene.prompts import makePromptNode
from SAMUNetSlicerLib.scene.segments import SegmentWriter, newSegment
from scene.segmentation_scene import CT, add_volume

SHAPE = (6, 40, 50)


@pytest.fixture
def scene(host):
    return host.scene


def add_image(scene, name):
    return add_volume(scene, name=name, ijk_to_ras=CT, array=np.zeros(SHAPE, np.int16))


def add_rough(scene, volume, name, slices=(2, 3)):
    """A segmentation that belongs to a volume, with one segment on some of its slices."""
    node = scene.AddNewNodeByClass("vtkMRMLSegmentationNode", name)
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    segment = newSegment(node, name)
    for index in slices:
        plane = planeFromAxis(volume, "K", index)
        mask = np.zeros(plane.shape, bool)
        mask[10:20, 15:30] = True
        SegmentWriter(scene).writeMask(node, segment, plane, mask, volume)
    return node


def names(source, volume):
    return [segment.name for segment in source.promptsFor(volume).segments]


def test_each_volume_gets_the_boxes_of_its_own_segmentation(scene):
    first, second = add_image(scene, "first"), add_image(scene, "second")
    for volume in (first, second):
        add_rough(scene, volume, f"rough {volume.GetName()}")
    source = BoxesOfSegmentations(scene, None, SliceChoice())
    assert (names(source, first), names(source, second)) == (["rough first"], ["rough second"])


def test_a_volume_without_one_gets_the_chosen_one(scene):
    first, second = add_image(scene, "first"), add_image(scene, "second")
    chosen = add_rough(scene, first, "rough")
    assert names(BoxesOfSegmentations(scene, chosen, SliceChoice()), second) == ["rough"]


def test_the_chosen_one_goes_before_another_of_the_same_volume(scene):
    volume = add_image(scene, "CT")
    add_rough(scene, volume, "other")
    chosen = add_rough(scene, volume, "chosen")
    assert names(BoxesOfSegmentations(scene, chosen, SliceChoice()), volume) == ["chosen"]


def test_what_comes_later_is_not_looked_at(scene):
    volume = add_image(scene, "CT")
    source = BoxesOfSegmentations(scene, None, SliceChoice())
    add_rough(scene, volume, "result")
    with pytest.raises(PromptError, match="No segmentation belongs to 'CT'"):
        source.promptsFor(volume)


def test_the_steps_give_what_the_whole_does_and_stop_at_each_slice(scene):
    volume = add_image(scene, "CT")
    source = BoxesOfSegmentations(scene, add_rough(scene, volume, "rough"), SliceChoice())
    steps, count = source.steps(volume), 0
    while True:
        try:
            assert next(steps) is False
            count += 1
        except StopIteration as end:
            prompts = end.value
            break
    assert count >= SHAPE[0]
    assert prompts == source.promptsFor(volume)


def test_markups_are_taken_and_prompts_of_ours_are_not(scene):
    volume = add_image(scene, "CT")
    place = planeFromAxis(volume, "K", 3).pixelToRAS([(25, 20)])[0]
    segmentation = add_rough(scene, volume, "rough")
    own = makePromptNode(scene, segmentation, segmentation.GetSegmentation().GetNthSegmentID(0), "positive")
    own.AddControlPoint(place)
    scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Empty")
    scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "Cyst").AddControlPoint(place)
    roi = scene.AddNewNodeByClass("vtkMRMLMarkupsROINode", "Liver")
    roi.SetCenter(place)
    roi.SetSize(12, 12, 4)
    assert names(markupsOf(scene, SliceChoice()), volume) == ["Cyst", "Liver"]


def test_without_markups_there_is_a_sentence(scene):
    with pytest.raises(PromptError, match="no markups"):
        markupsOf(scene, SliceChoice())
