"""Draw the browser viewer for docs/browser.md: four organs, each by a box and a propagation.

.venv-view/bin/python Testing/viewer/make_screenshot.py Resources/Screenshots/browser.png
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import sync_playwright

from viewer.viewing import CHROMIUM, Page, ViewerProcess

# Name, view, and corners of the box in fractions of the view; where the slices are in mm.
BOXES = [
    ("Liver", "Green", (0.22, 0.03), (0.51, 0.38)),
    ("Right kidney", "Green", (0.315, 0.20), (0.40, 0.405)),
    ("Right psoas", "Red", (0.395, 0.50), (0.475, 0.665)),
    ("Bladder", "Green", (0.40, 0.72), (0.61, 0.985)),
]
OFFSETS = {"offsetRed": 325.0, "offsetYellow": -66.0, "offsetGreen": 161.3}
SIZE = {"width": 1280, "height": 800}


def main(path):
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        viewer = ViewerProcess(home)
        try:
            page = Page(browser.new_page(viewport=SIZE), viewer.address)
            for key, value in OFFSETS.items():
                page.setState(key, value)
            page.setState("obliqueTilt", 30)
            page.settle()
            for number, (name, view, *corners) in enumerate(BOXES):
                segment(page, number, name, view, corners)
            page.setState("statusText", "")  # times are those of this computer
            page.settle()
            page.page.screenshot(path=path, animations="disabled")
        finally:
            viewer.stop()
            browser.close()


def segment(page, number, name, view, corners):
    """Add a segment by a box, name it, and carry it through the volume."""
    if number:
        page.press("add-segment")
    page.press("tool-box")
    page.waitForStatus("ask computed", lambda: page.drag(view, *corners))
    field = page.page.locator("#segments input.samunet-name").nth(number)
    field.fill(name)
    field.press("Enter")
    page.press("propagate")
    page.wait(lambda: "slices segmented" in page.text("status"), "it never ends", seconds=600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
