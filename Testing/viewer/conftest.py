"""A real viewer, a real Chromium."""

import os
from importlib.util import find_spec

import pytest

from viewer.viewing import CHROMIUM, VOLUME, Page, ViewerProcess, tabs


def pytest_collection_modifyitems():
    """Say what is missing before 50 tests do."""
    missing = [name for name in ("trame_slicer", "playwright") if find_spec(name) is None]
    missing += [] if CHROMIUM else ["Chromium"]
    if missing:
        raise pytest.UsageError(f"not installed: {', '.join(missing)}; `make test-view` installs it")


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def new_tab(browser):
    """Opens windows for one test."""
    with tabs(browser) as open_tab:
        yield open_tab


@pytest.fixture(scope="session")
def viewer(tmp_path_factory):
    """One viewer for all tests that need none of their own."""
    viewer = ViewerProcess(tmp_path_factory.mktemp("home"))
    yield viewer
    assert viewer.stop() == 0
    log = viewer.log.read_text()
    assert "Traceback" not in log, log
    assert viewer.address.partition("token=")[2] not in log


@pytest.fixture(scope="session")
def open_page(viewer, browser):
    """The page of the shared viewer."""
    with tabs(browser) as open_tab:
        yield Page(open_tab(), viewer.address)


@pytest.fixture
def page(open_page):
    """The page of the shared viewer as it is at first: the sample volume, its slices, no segments."""
    if open_page.state("volumeName") != "ts_ct3mm":
        open_page.open(VOLUME)
        open_page.wait(lambda: open_page.state("volumeName") == "ts_ct3mm", "it is not opened")
    open_page.restore()
    return open_page


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    page = getattr(item, "funcargs", {}).get("page")
    if report.failed and page is not None and os.environ.get("SAMUNET_SCREENSHOTS"):
        page.page.screenshot(path=f"{os.environ['SAMUNET_SCREENSHOTS']}/{item.name}.png")
    return report
