"""A home folder with the real weights, the sample volume, and prompts for it."""

import json

import pytest

BLADDER = {
    "plane": {"orientation": "axial", "index": 18},
    "boxes": [{"ijk": [[42, 34, 18], [78, 72, 18]]}],
}


@pytest.fixture
def home_with_weights(private_home, litemedsam_weights):
    (private_home / "weights").mkdir()
    (private_home / "weights" / "lite_medsam.pth").symlink_to(litemedsam_weights)
    return private_home


@pytest.fixture
def volume(repository):
    """CT of 3 mm."""
    return repository / "Resources" / "SampleData" / "ts_ct3mm.nii.gz"


@pytest.fixture
def prompts(tmp_path):
    """Writes a prompts file of one segment and returns its path."""

    def write(*planes, name="Bladder"):
        path = tmp_path / "my prompts ü.json"
        document = {"version": 1, "window": {"mode": "preset:abdomen"}}
        document["segments"] = [{"name": name, "planes": list(planes or [BLADDER])}]
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write
