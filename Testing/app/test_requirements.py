"""What is missing is found from what is installed on disk, without importing any of it."""

import subprocess
import sys

import pytest

from SAMUNetSlicerLib.app.models import (
    REQUIREMENTS,
    TORCH,
    MissingRequirement,
    Requirement,
    missingRequirements,
)

PACKAGE = Requirement("frobnicate", "frobnicate-it", "1.10", "MIT", "1 MB")


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that Python looks for packages in."""
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def install(site, version, module=True):
    """Put a package there whose import fails the test."""
    if module:
        (site / "frobnicate.py").write_text("raise AssertionError('it was imported')")
    if version is not None:
        folder = site / f"frobnicate_it-{version}.dist-info"
        folder.mkdir()
        text = f"Metadata-Version: 2.1\nName: frobnicate-it\nVersion: {version}\n"
        (folder / "METADATA").write_text(text)


def test_nothing_is_missing_where_the_product_itself_is_installed():
    assert missingRequirements() == []


def test_a_package_that_is_not_there_is_missing():
    assert missingRequirements([PACKAGE]) == [MissingRequirement(PACKAGE, None)]


@pytest.mark.parametrize("version", ["1.10", "1.10.0+cu124", "1.11.dev0", "2", "1.10rc1"])
def test_a_version_that_is_new_enough_is_enough(site, version):
    install(site, version)
    assert missingRequirements([PACKAGE]) == []


@pytest.mark.parametrize("version", ["1.9.4", "0.99", "1.9+cpu"])
def test_a_version_that_is_too_old_is_named(site, version):
    install(site, version)
    assert missingRequirements([PACKAGE]) == [MissingRequirement(PACKAGE, version)]


def test_what_slicer_built_without_a_record_of_its_version_counts_as_there(site):
    install(site, None)
    assert missingRequirements([PACKAGE]) == []


def test_a_record_whose_files_are_gone_counts_as_missing(site):
    install(site, "2.0", module=False)
    assert missingRequirements([PACKAGE]) == [MissingRequirement(PACKAGE, None)]


def test_what_is_installed_meanwhile_is_seen(site):
    assert missingRequirements([PACKAGE])
    install(site, "1.10")
    assert not missingRequirements([PACKAGE])


def test_looking_imports_none_of_it(repository):
    script = (
        "import sys; from SAMUNetSlicerLib.app.models import requirements; "
        "requirements.missingRequirements(); print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=repository / "SAMUNetSlicer",
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {requirement.module for requirement in REQUIREMENTS} & set(done.stdout.split())


def test_pip_is_told_the_lowest_version():
    assert TORCH.specifier == f"torch>={TORCH.minimum}"
