"""The sample volumes and their labels are what their documentation says."""

import json

import numpy as np
import pytest

from SAMUNetSlicerLib.app.files import loadVolume, startScene
from SAMUNetSlicerLib.scene.geometry import ijkToRAS, voxelArray

CASES = ["ts_ct512", "ts_ct3mm", "ts_mr3mm"]


@pytest.fixture(scope="module")
def folder(repository):
    return repository / "Resources" / "SampleData"


@pytest.fixture(scope="module")
def cases(folder):
    return {
        case["volume"].split(".")[0]: case
        for case in json.loads((folder / "labels.json").read_text(encoding="utf-8"))["cases"]
    }


@pytest.fixture(scope="module", params=CASES)
def case(request, folder, cases):
    """(volume node, label node, description) of a case."""
    description = cases[request.param]
    with startScene() as host:
        yield (*(loadVolume(host, folder / description[role]) for role in ("volume", "labels")), description)


def center(case, name):
    """World position (3,) of the middle of a structure."""
    value = next(structure["value"] for structure in case[2]["structures"] if structure["name"] == name)
    kji = np.argwhere(voxelArray(case[1]) == value).mean(axis=0)
    return (ijkToRAS(case[1]) @ [*kji[::-1], 1])[:3]


def test_every_case_is_described_and_every_file_belongs_to_one(folder, cases):
    assert sorted(cases) == sorted(CASES)
    listed = {case[role] for case in cases.values() for role in ("volume", "labels")}
    assert {path.name for path in folder.glob("*.nii.gz")} == listed
    assert all(name in (folder / "README.md").read_text(encoding="utf-8") for name in listed)


def test_labels_lie_on_the_voxels_of_their_volume(case):
    volume, labels, _ = case
    assert voxelArray(volume).shape == voxelArray(labels).shape
    np.testing.assert_array_equal(ijkToRAS(volume), ijkToRAS(labels))


def test_every_label_value_has_a_name(case):
    values = set(np.unique(voxelArray(case[1])).tolist()) - {0}
    assert values == {structure["value"] for structure in case[2]["structures"]}


def test_organs_are_on_their_side_of_the_patient(case):
    right, _, _ = center(case, "Liver") - center(case, "Spleen")
    assert right > 80
    _, anterior, _ = center(case, "Stomach") - center(case, "Spinal cord")
    assert anterior > 40
    assert (center(case, "Right deep muscle of back") - center(case, "Left deep muscle of back"))[0] > 20


def test_the_spine_goes_upwards(case):
    upwards = ("L5 vertebra", "L3 vertebra", "L1 vertebra", "T12 vertebra", "T11 vertebra")
    names = {structure["name"] for structure in case[2]["structures"]}
    ordered = [name for name in upwards if name in names]
    heights = [center(case, name)[2] for name in ordered]
    assert heights == sorted(heights)


def test_the_liver_of_a_ct_has_the_density_of_liver(case):
    volume, labels, description = case
    if description["modality"] == "CT":
        liver = voxelArray(volume)[voxelArray(labels) == 5]
        assert 30 < np.median(liver) < 140  # Hounsfield units, native to portal-venous


def test_codes_are_valid_snomed_identifiers(case):
    for structure in case[2]["structures"]:
        for key in {"type", "modifier"} & set(structure):
            scheme, code, meaning = structure[key]
            assert scheme == "SCT" and meaning and verhoeff_sum(code) == 0, structure


def verhoeff_sum(digits):
    """0 for a number whose last digit is its Verhoeff check digit, as in every SNOMED identifier."""
    permuted = [list(range(10)), [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]]
    for _ in range(6):
        permuted.append([permuted[-1][permuted[1][digit]] for digit in range(10)])
    total = 0
    for place, digit in enumerate(reversed(digits)):
        total = dihedral_product(total, permuted[place % 8][int(digit)])
    return total


def dihedral_product(a, b):
    """Product in the symmetry group of the pentagon: 0..4 turns, 5..9 reflections."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b - 5) % 5
    return 5 + (a - 5 - b) % 5 if b < 5 else (a - b) % 5
