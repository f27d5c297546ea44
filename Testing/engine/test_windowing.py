"""Every slice that a volume can hold becomes a defined 8-bit image, by the rule the user chose."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from SAMUNetSlicerLib.engine.windowing import CT_PRESETS, MODES, WindowSetting, to_uint8
from SAMUNetSlicerLib.errors import InputError

DTYPES = [
    "bool",
    "uint8",
    "int8",
    "int16",
    "uint16",
    "int32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
]
SETTINGS = [WindowSetting(m) for m in MODES if m != "manual"] + [WindowSetting("manual", -100.0, 250.0)]

any_slice = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6))
)


def test_the_default_is_the_slice_minimum_to_maximum_truncated_as_in_training():
    ct = np.array([[-1024, 0, 40], [399, 1000, 3071]], np.int16)
    expected = ((ct.astype(float) + 1024) / 4095 * 255).astype(np.uint8)
    assert np.array_equal(to_uint8(ct), expected)
    assert to_uint8(ct).min() == 0 and to_uint8(ct).max() == 255


def test_a_slice_that_spans_0_to_255_already_stays_as_it_is():
    gray = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(to_uint8(gray), gray)


def test_a_manual_window_gives_the_pixels_that_slicer_displays():
    values = np.linspace(-300, 500, 801).reshape(3, 267)
    window, level = 400.0, 40.0
    displayed = np.clip((values - (level - window / 2)) / window * 255, 0, 255).astype(np.uint8)
    assert np.array_equal(to_uint8(values, WindowSetting("manual", -160.0, 240.0)), displayed)


def test_a_ct_preset_is_the_manual_window_of_the_same_width_and_level():
    ct = np.random.default_rng(0).integers(-1024, 3000, (20, 30)).astype(np.int16)
    for name, (width, level) in CT_PRESETS.items():
        manual = WindowSetting("manual", level - width / 2, level + width / 2)
        assert np.array_equal(to_uint8(ct, WindowSetting(f"preset:{name}")), to_uint8(ct, manual))


def test_a_few_extreme_pixels_do_not_darken_a_percentile_window():
    tissue = np.random.default_rng(0).normal(100, 10, (100, 100))
    with_metal = tissue.copy()
    with_metal[0, :10] = 30000
    assert to_uint8(with_metal).mean() < 5
    assert abs(to_uint8(with_metal, WindowSetting("percentile")).mean() - 127) < 20


def test_a_sparse_slice_stays_visible_in_a_percentile_window():
    sparse = np.zeros((100, 100))
    sparse[50, 50] = 7.0
    assert to_uint8(sparse, WindowSetting("percentile"))[50, 50] == 255


def test_colors_of_8_bits_pass_untouched_and_others_keep_their_hues():
    rgb = np.random.default_rng(0).integers(0, 256, (8, 9, 3)).astype(np.uint8)
    for setting in SETTINGS:
        assert np.array_equal(to_uint8(rgb, setting), rgb)
    rgb[0, 0], rgb[0, 1] = 0, 255
    assert np.array_equal(to_uint8(rgb.astype(np.uint16) * 257), rgb)


def test_not_a_number_and_infinities_neither_count_for_the_window_nor_crash():
    values = np.array([[np.nan, -np.inf, 0.0], [50.0, 100.0, np.inf]])
    assert to_uint8(values).tolist() == [[0, 0, 0], [127, 255, 255]]
    assert to_uint8(np.full((3, 3), np.nan)).tolist() == [[0] * 3] * 3


@pytest.mark.parametrize("value", [0, 5, -3.5, 1e300, -1e-300])
@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (4, 4)])
def test_a_slice_without_contrast_is_black(value, shape):
    assert not to_uint8(np.full(shape, value)).any()
    assert not to_uint8(np.full(shape, value), WindowSetting("percentile")).any()


def test_the_whole_range_of_a_dtype_does_not_overflow():
    for dtype in (np.float64, np.float32, np.int64, np.uint64, np.int8):
        info = np.finfo(dtype) if np.issubdtype(dtype, np.floating) else np.iinfo(dtype)
        extremes = np.array([[info.min, 0, info.max]], dtype)
        assert to_uint8(extremes)[0, 0] == 0 and to_uint8(extremes)[0, 2] == 255


@settings(deadline=None, max_examples=150)
@given(any_slice, st.sampled_from(SETTINGS))
def test_brighter_voxels_never_become_darker_and_the_input_is_not_changed(values, setting):
    before = values.copy()
    image = to_uint8(values, setting)
    assert image.dtype == np.uint8 and image.shape == values.shape
    assert np.array_equal(values, before, equal_nan=values.dtype.kind == "f")
    numbers = ~np.isnan(values.astype(np.float64))
    order = np.argsort(values[numbers].astype(np.float64), kind="stable")
    assert np.all(np.diff(image[numbers][order].astype(int)) >= 0)


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_survives_json(setting):
    assert WindowSetting.from_dict(json.loads(json.dumps(setting.to_dict()))) == setting


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "automatic"},
        {"mode": "preset:spleen"},
        {"mode": "manual"},
        {"mode": "manual", "lower": 5, "upper": 5},
        {"mode": "manual", "lower": 9, "upper": 5},
        {"mode": "manual", "lower": float("nan"), "upper": 5},
        {"mode": "manual", "lower": "0", "upper": 5},
        {"mode": "slice", "lower": 1, "upper": 5},
        {"mode": "slice", "level": 40},
    ],
)
def test_a_window_that_makes_no_sense_is_refused(values):
    with pytest.raises(InputError):
        WindowSetting.from_dict(values)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 4)),
        np.zeros(4),
        np.zeros((2, 3, 4)),
        np.zeros((2, 2), complex),
        np.array([["a", "b"]]),
        np.zeros((2, 2), object),
    ],
)
def test_what_is_no_image_is_refused(pixels):
    with pytest.raises(InputError):
        to_uint8(pixels)
