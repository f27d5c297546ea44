"""Provenance survives what segments go through, whoever wrote it."""

import json

import SimpleITK as sitk

from SAMUNetSlicerLib.app.session import TAG, UNREADABLE_TAG, ProvenanceTags
from SAMUNetSlicerLib.scene.export import exportSegNrrd
from SAMUNetSlicerLib.scene.segments import segmentTag


def test_text_with_the_separator_of_segmentation_files_survives_the_export(desk, tmp_path):
    desk.click(12, 20)
    session = desk.session
    tags = ProvenanceTags(session.segmentationNode)
    tags.of(session.segmentId).log("note", text="left|right")
    tags.save(session.segmentId)
    exportSegNrrd(session.segmentationNode, tmp_path / "a.seg.nrrd")
    written = sitk.ReadImage(str(tmp_path / "a.seg.nrrd")).GetMetaData("Segment0_Tags")
    (entry,) = [tag for tag in written.split("|") if tag.startswith(TAG + ":")]
    assert json.loads(entry[len(TAG) + 1 :])["log"][-1]["text"] == "left|right"


def test_what_a_later_release_wrote_is_kept_beside_the_new_records(desk):
    desk.click(12, 20)
    session = desk.session
    segment = session.segmentationNode.GetSegmentation().GetSegment(session.segmentId)
    later = json.dumps({"format": "SAMUNetSlicer provenance", "version": 99, "slices": {}})
    segment.SetTag(TAG, later)
    desk.click(15, 20)
    assert segmentTag(session.segmentationNode, session.segmentId, UNREADABLE_TAG) == later
    assert json.loads(segmentTag(session.segmentationNode, session.segmentId, TAG))["version"] == 1
