"""A real viewer, a real Chromium."""

import os
from importlib.util import find_spec

import pytest

from viewer.viewing import CHROMIUM, Page, ViewerProcess

MISSING = [name for name in ("trame_slicer", "playwright") if find_spec(name) is None]


def pytest_collection_modifyitems(items):
    """Skip what another environment is for; `make test-view`, which is that environment, must not skip."""
    if os.environ.get("SAMUNET_TEST_VIEW"):
        assert not MISSING, f"not installed: {', '.join(MISSING)}"
        assert CHROMIUM, "Chromium is not installed: `apt-get install chromium`"
    elif MISSING:
        skip = pytest.mark.skip(
            reason=f"the viewer's own environment has {', '.join(MISSING)}: make test-view"
        )
        for item in items:
            if item.path.parent.name == "viewer":
                item.add_marker(skip)


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def new_tab(browser):
    """Opens browser windows that share nothing; at the end, no page may have complained."""
    contexts, complaints = [], []

    def open_tab():
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 860}))
        tab = contexts[-1].new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="module")
def viewer(tmp_path_factory):
    """One viewer for the tests of a file."""
    viewer = ViewerProcess(tmp_path_factory.mktemp("home"))
    yield viewer
    assert viewer.stop() == 0
    assert "Traceback" not in viewer.log.read_text(), viewer.log.read_text()


@pytest.fixture(scope="module")
def open_page(viewer, new_tab):
    """The page of the shared viewer."""
    return Page(new_tab(), viewer.address)


@pytest.fixture
def page(open_page):
    """The page of the shared viewer, without segments and with all views."""
    open_page.deleteAll()
    open_page.press("tool-positive")
    return open_page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and page is not None and os.environ.get("SAMUNET_SCREENSHOTS"):
        page.page.screenshot(path=f"{os.environ['SAMUNET_SCREENSHOTS']}/{item.name}.png")
    return report
