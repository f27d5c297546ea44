"""What a page may name when others can reach the viewer."""

from pathlib import Path

import pytest

from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.viewer.server import Reach


def test_without_folders_everything_is_in_reach():
    assert Reach().path(" /etc/hostname ") == Path("/etc/hostname")
    assert Reach().path("~/ct.nrrd") == Path.home() / "ct.nrrd"


def test_what_lies_in_a_folder_is_in_reach(tmp_path):
    reach = Reach([tmp_path / "volumes", tmp_path / "results"])
    assert reach.path(f"{tmp_path}/volumes/a/ct.nrrd") == tmp_path / "volumes" / "a" / "ct.nrrd"
    assert reach.path(f"{tmp_path}/results") == tmp_path / "results"


@pytest.mark.parametrize("path", ["", "/ct.nrrd", "/volumes/../ct.nrrd", "/volumes-of-others/ct.nrrd"])
def test_what_lies_elsewhere_is_not(tmp_path, path):
    with pytest.raises(InputError, match="upload the volume"):
        Reach([tmp_path / "volumes"]).path(f"{tmp_path}{path}")


def test_a_link_leads_nowhere_else(tmp_path):
    folder = tmp_path / "volumes"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(InputError, match="upload the volume"):
        Reach([folder]).path(str(folder / "link" / "ct.nrrd"))
