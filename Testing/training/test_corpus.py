import numpy as np
import pytest
from PIL import Image

from SAMUNetSlicerLib.errors import InputError
from SAMUNetSlicerLib.training.data import (
    load_pair,
    read_corpus,
    read_manifest,
    split_by_patient,
    targets,
    usable,
)
from training.corpora import write_corpus


def test_a_manifest_gives_every_image_with_its_label_names(tmp_path):
    samples = read_manifest(write_corpus(tmp_path))
    assert len(samples) == 6
    assert samples[0].labels == {1: "disc", 2: "square"}
    assert samples[0].name == "Discs/Discs__0"


def test_a_pair_is_read_with_its_own_label_values(tmp_path):
    image, labels = load_pair(read_manifest(write_corpus(tmp_path))[0])
    assert image.shape == labels.shape == (80, 80)
    assert set(np.unique(labels)) == {0, 1, 2}


def test_a_mask_of_another_size_is_refused_by_name(tmp_path):
    sample = read_manifest(write_corpus(tmp_path))[0]
    Image.new("L", (10, 10)).save(sample.mask)
    with pytest.raises(InputError, match="Discs__0 differ in size"):
        load_pair(sample)


def test_a_damaged_image_is_refused_by_name(tmp_path):
    sample = read_manifest(write_corpus(tmp_path))[0]
    sample.image.write_bytes(b"not a picture")
    with pytest.raises(InputError, match="Discs__0 cannot be read"):
        load_pair(sample)


def test_a_folder_without_a_corpus_is_refused(tmp_path):
    with pytest.raises(InputError, match="SA-Med2D"):
        read_corpus(tmp_path)


def test_touching_corners_are_one_structure_and_specks_are_none():
    labels = np.zeros((100, 100), int)
    labels[10:20, 10:20] = 3
    labels[20:30, 20:30] = 3
    labels[90, 90] = 3
    (only,) = targets(labels)
    assert only.label == 3
    assert only.mask.sum() == 200


def test_no_patient_is_on_both_sides_of_the_split_and_order_does_not_matter(tmp_path):
    samples = read_manifest(write_corpus(tmp_path, patients=40)) * 2
    training, development = split_by_patient(samples, 0.3)
    assert {s.patient for s in training}.isdisjoint(s.patient for s in development)
    assert 4 <= len({s.patient for s in development}) <= 20
    again = split_by_patient(samples[::-1], 0.3)[1]
    assert {s.patient for s in again} == {s.patient for s in development}


def test_a_folder_of_sa_med2d_gives_one_sample_per_mask_with_an_image(tmp_path):
    for name in ("images", "masks"):
        (tmp_path / name).mkdir()
    picture = Image.new("L", (8, 8), 255)
    picture.save(tmp_path / "images" / "ct_00--AMOS--Case_1--x_0040.png")
    for mask in ("Case_1--x_0040--0003_000", "Case_1--x_0040--0003_001", "Case_2--x_0001--0001_000"):
        picture.save(tmp_path / "masks" / f"ct_00--AMOS--{mask}.png")
    samples = read_corpus(tmp_path)
    assert len(samples) == 2
    first = samples[0]
    assert (first.modality, first.source, first.patient) == ("ct_00", "AMOS", "Case_1")
    assert load_pair(first)[1].max() in first.labels


def test_sources_are_usable_unless_their_license_says_otherwise(tmp_path):
    free = read_manifest(write_corpus(tmp_path / "free", patients=1))
    bound = read_manifest(write_corpus(tmp_path / "bound", patients=1, license="LGPL-3.0 (uploader)"))
    assert usable(free + bound) == free
    assert usable(free + bound, ("CC0", "LGPL")) == []
