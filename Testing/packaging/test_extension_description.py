"""CMakeLists.txt and the .s4ext agree, and pass what the Slicer extension catalog checks by machine."""

import re
import subprocess

import pytest
from PIL import Image

from source_tree import REPOSITORY

CMAKE = (REPOSITORY / "CMakeLists.txt").read_text(encoding="utf-8")
RAW_PREFIX = "https://raw.githubusercontent.com/SAMUNetSlicer/SlicerSAMUNet/main/"
LICENSE_NAMES = {"LICENSE", "LICENCE", "License.txt", "license.txt", "LICENSE.txt", "COPYING", "COPYING.txt"}


def s4ext():
    lines = (REPOSITORY / "SAMUNetSlicer.s4ext").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ", 1) for line in lines)


def cmake_value(name):
    (value,) = re.findall(rf'set\({name} "([^"]+)"\)', CMAKE)
    return value


@pytest.mark.parametrize(
    ("key", "variable"),
    [
        ("homepage", "EXTENSION_HOMEPAGE"),
        ("contributors", "EXTENSION_CONTRIBUTORS"),
        ("description", "EXTENSION_DESCRIPTION"),
        ("iconurl", "EXTENSION_ICONURL"),
        ("screenshoturls", "EXTENSION_SCREENSHOTURLS"),
        ("category", "EXTENSION_CATEGORY"),
        ("depends", "EXTENSION_DEPENDS"),
        ("status", "EXTENSION_STATUS"),
        ("tier", "EXTENSION_TIER"),
    ],
)
def test_the_s4ext_says_what_cmake_says(key, variable):
    assert s4ext()[key] == cmake_value(variable)


def test_the_s4ext_points_to_the_sources():
    description = s4ext()
    assert description["scm"] == "git"
    assert description["scmurl"] == cmake_value("EXTENSION_HOMEPAGE") + ".git"
    assert description["build_subdirectory"] == "."
    assert description["enabled"] == "1"


def test_the_project_is_named_as_the_catalog_entry_will_be():
    assert re.findall(r"project\s*\(\s*([^\s\)]+)", CMAKE)[0] == "SAMUNetSlicer"
    assert not "SAMUNetSlicer".startswith("Slicer")


def test_the_repository_name_starts_with_slicer():
    assert s4ext()["scmurl"].rsplit("/", 1)[1].startswith("Slicer")
    assert s4ext()["scmurl"].startswith("https://")


def test_the_icon_is_what_the_catalog_reads_and_accepts():
    (url,) = re.findall(r'set\s*\(EXTENSION_ICONURL\s*"([^"]+)"[ ]*\)', CMAKE)
    with Image.open(REPOSITORY / url.removeprefix(RAW_PREFIX)) as icon:
        assert (icon.format, icon.size) == ("PNG", (128, 128))


def test_every_screenshot_is_what_the_catalog_reads_and_accepts():
    (urls,) = re.findall(r'set\s*\(EXTENSION_SCREENSHOTURLS\s*"([^"]+)"\)', CMAKE)
    for url in urls.split():
        with Image.open(REPOSITORY / url.removeprefix(RAW_PREFIX)) as picture:
            assert picture.format in ("PNG", "JPEG", "GIF")


def test_the_license_has_a_name_the_catalog_knows_and_is_the_one_packaged():
    assert LICENSE_NAMES & {path.name for path in REPOSITORY.iterdir()}
    for variable in ("EXTENSION_LICENSE_FILE", "EXTENSION_README_FILE"):
        name = cmake_value(variable).removeprefix("${CMAKE_CURRENT_SOURCE_DIR}/")
        assert (REPOSITORY / name).is_file()
        assert CMAKE.index(variable) < CMAKE.index("find_package(Slicer")


def test_the_description_names_the_license_of_the_weights_and_the_intended_use():
    assert "research use" in cmake_value("EXTENSION_DESCRIPTION")
    assert "weights" in cmake_value("EXTENSION_DESCRIPTION")


def test_the_macros_come_in_the_order_that_slicer_needs():
    steps = [
        "cmake_minimum_required(VERSION 3.20.6...3.28.0)",
        "project(SAMUNetSlicer)",
        "set(EXTENSION_",
        "find_package(Slicer REQUIRED)",
        "include(${Slicer_USE_FILE})",
        "add_subdirectory(SAMUNetSlicer)",
        "## NEXT_MODULE",
        "include(${Slicer_EXTENSION_GENERATE_CONFIG})",
        "include(${Slicer_EXTENSION_CPACK})",
    ]
    places = [CMAKE.index(step) for step in steps]
    assert places == sorted(places)


def test_the_checkout_is_small_enough_for_the_catalog():
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True)
    files = [REPOSITORY / name for name in listing.stdout.decode().split("\0") if name]
    assert sum(path.stat().st_size for path in files if path.is_file()) < 50e6
