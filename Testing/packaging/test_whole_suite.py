"""``make test`` fails when either suite fails, shows both, and ends with their summaries."""

import sys

import pytest

import whole_suite

SUITE = """#!/bin/sh
echo "$SAMUNET_TEST_VIEW $*"
echo "=== {summary} ==="
exit {code}
"""


@pytest.fixture
def suites(tmp_path, monkeypatch):
    """Puts shell scripts in the place of both Pythons; returns the viewer's."""

    def make(main_code, viewer_code):
        paths = []
        for name, code in (("main", main_code), ("viewer", viewer_code)):
            path = tmp_path / name
            path.write_text(SUITE.format(summary=f"{name} in 1.00s", code=code))
            path.chmod(0o755)
            paths.append(str(path))
        monkeypatch.setattr(sys, "executable", paths[0])
        return paths[1]

    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # so that it is restored afterwards
    return make


@pytest.mark.parametrize(
    ("main_code", "viewer_code", "expected"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (2, 5, 1)]
)
def test_the_exit_status_is_zero_only_if_both_have_passed(suites, capfd, main_code, viewer_code, expected):
    assert whole_suite.main(suites(main_code, viewer_code), "-rs") == expected
    said = capfd.readouterr().out.splitlines()
    assert said[-2:] == ["=== main in 1.00s ===", "=== viewer in 1.00s ==="]
    assert said.count("1 -m pytest Testing/viewer -rs") == 1
    assert any(line.startswith(" -m pytest -n 2") and line.endswith("-rs") for line in said)
