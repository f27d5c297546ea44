"""Inside Slicer, by ctest: the installed module is complete, its panel opens, and its own tests pass.

Nothing here needs a network.  "Reload and Test" in Slicer runs `SelfTest` alone, which is installed with the
module; this folder is not.
"""

import json
import tempfile
import unittest
from pathlib import Path

import numpy as np
import slicer

# Found here by the test loader: the tests of "Reload and Test".
from SAMUNetSlicerLib.ui.selfTest import SelfTest  # noqa: F401

PROMPTS = {
    "version": 1,
    "segments": [
        {
            "name": "Blob",
            "planes": [{"plane": {"axis": "K", "index": 4}, "boxes": [{"ijk": [[18, 18, 4], [46, 46, 4]]}]}],
        }
    ],
}


def add_blob():
    """Add a volume with a bright disk in the middle of its slices."""
    rows, columns = np.mgrid[:64, :64]
    disk = (rows - 32) ** 2 + (columns - 32) ** 2 < 12**2
    voxels = np.repeat(np.where(disk, 200, 20)[np.newaxis], 9, axis=0).astype(np.int16)
    return slicer.util.addVolumeFromArray(voxels)


class SAMUNetSlicerInSlicerTest(unittest.TestCase):
    def setUp(self):
        slicer.mrmlScene.Clear(0)

    def test_the_module_is_found_with_its_icon_and_help(self):
        module = slicer.app.moduleManager().module("SAMUNetSlicer")
        self.assertIsNotNone(module)
        self.assertFalse(module.icon.isNull())
        self.assertIn("research use", module.helpText)

    def test_the_panel_opens_follows_the_scene_and_closes(self):
        widget = slicer.app.moduleManager().module("SAMUNetSlicer").widgetRepresentation().self()
        widget.enter()
        add_blob()
        slicer.app.processEvents()
        slicer.mrmlScene.Clear(0)
        slicer.app.processEvents()
        widget.exit()
        self.assertIsNone(widget.panel.session.volumeNode)

    def test_every_part_of_the_panel_opens_and_the_module_can_be_left_and_entered_again(self):
        widget = slicer.app.moduleManager().module("SAMUNetSlicer").widgetRepresentation().self()
        widget.enter()
        try:
            add_blob()
            for name in ("correct", "propagate", "batch", "export", "advanced"):
                getattr(widget.ui, f"{name}Section").collapsed = False
                slicer.app.processEvents()
            self.assertIsNotNone(widget.panel.correct.editor)
            self.assertEqual(widget.ui.batchList.count, 1)
            widget.exit()
            widget.enter()
            widget.ui.addSegmentButton.click()
        finally:
            widget.exit()

    def test_a_prompts_file_that_is_missing_is_one_sentence(self):
        from SAMUNetSlicer import SAMUNetSlicerLogic
        from SAMUNetSlicerLib.errors import InputError

        with self.assertRaisesRegex(InputError, "prompts file"):
            SAMUNetSlicerLogic().segment(add_blob(), "no such file.json")

    def test_a_box_of_a_prompts_file_becomes_its_segment(self):
        from SAMUNetSlicer import SAMUNetSlicerLogic
        from SAMUNetSlicerLib.app.models import missingRequirements

        missing = [each.requirement.distribution for each in missingRequirements()]
        if missing:
            self.skipTest(f"Still to be installed: {', '.join(missing)}")
        volume = add_blob()
        with tempfile.TemporaryDirectory() as folder:
            prompts = Path(folder) / "prompts.json"
            prompts.write_text(json.dumps(PROMPTS), encoding="utf-8")
            node = SAMUNetSlicerLogic().segment(volume, str(prompts))
        (segment_id,) = node.GetSegmentation().GetSegmentIDs()
        mask = slicer.util.arrayFromSegmentBinaryLabelmap(node, segment_id, volume)
        truth = slicer.util.arrayFromVolume(volume)[4] > 100
        self.assertGreater(2 * (mask[4] & truth).sum() / (mask[4].sum() + truth.sum()), 0.9)


if __name__ == "__main__":
    unittest.main()
