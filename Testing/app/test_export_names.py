"""File names from what users type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from SAMUNetSlicerLib.app.common import distinctNames, fileName, nameAndJoint
from SAMUNetSlicerLib.errors import InputError


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Läsion links", "Läsion links"),
        ("病変", "病変"),
        ("a/b\\c:d", "a_b_c_d"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("con", "_con"),
        ("NUL.txt", "_NUL.txt"),
        ("  . ", "_"),
        ("", "_"),
        ("ends. ", "ends"),
    ],
)
def test_a_name_is_one_that_every_system_takes(text, name):
    assert fileName(text) == name


@given(st.text(max_size=400))
def test_any_text_becomes_a_name_that_can_be_written(text):
    name = fileName(text)

    assert name and name not in (".", "..") and not set(name) & set('<>:"/\\|?*\0\n')
    assert len(name.encode()) <= 121 and fileName(name) == name


def test_two_segments_of_one_name_get_two_files():
    assert distinctNames(["Liver", "liver", "Liver", "Spleen"]) == ["Liver", "liver-2", "Liver-3", "Spleen"]


def test_a_pattern_takes_its_fields():
    fields = {"case": "P 1/2", "volume": "CT"}

    assert nameAndJoint("{case} – {volume}", fields) == ("P 1_2 – CT", "-")


@pytest.mark.parametrize("joint", ["", "_", " - ", "-"])
def test_a_pattern_says_where_the_segment_goes(joint):
    assert nameAndJoint(f"{{case}}{joint}{{segment}}", {"case": "A"}) == ("A", joint)


@pytest.mark.parametrize(
    "pattern",
    ["{patient}", "{case", "{}", "{case.__class__.x}", "{case!z}", "{segment}", "{segment} of {case}"],
)
def test_a_wrong_pattern_is_one_sentence(pattern):
    with pytest.raises(InputError, match=r"use \{case\} and plain text"):
        nameAndJoint(pattern, {"case": "A"})
