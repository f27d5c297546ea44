"""How long a click takes in the browser: from the mouse button to the mask on the screen.

Each click is the first one of a segment, on a slice that is encoded already.  The mouse takes a quarter of a
second to get there, as a hand does: meanwhile the engine stops encoding slices ahead.

Run it in the viewer's environment:  .venv-view/bin/python Testing/benchmarks/bench_view.py
"""

import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "SAMUNetSlicer"))

from playwright.sync_api import sync_playwright

from viewer.viewing import CHROMIUM, SAMPLES, Page, ViewerProcess

PLACES = [(0.30 + 0.05 * column, 0.36 + 0.06 * row) for row in range(4) for column in range(4)]

# The page notes when pictures of a view arrive.
WATCH = """() => {
  const image = document.querySelector('#view-Red img');
  window.frames_ = [];
  new MutationObserver(() => image.decode().then(() => window.frames_.push(performance.now()), () => {}))
    .observe(image, {attributes: true, attributeFilter: ['src']});
  document.querySelector('#view-Red').addEventListener(
    'pointerup', () => { window.released_ = performance.now(); window.frames_ = []; }, true);
  new MutationObserver(() => { window.said_ = performance.now(); })
    .observe(document.querySelector('#status'), {characterData: true, childList: true, subtree: true});
}"""


def click(page, place):
    """Milliseconds from the release of the button to the sentence about the mask, and to its picture."""
    page.page.mouse.move(*page.place("Red", 0.5, 0.9))
    page.waitForStatus("ask computed", lambda: approach_and_click(page, page.place("Red", *place)))
    page.settle()
    released, said, frames = page.page.evaluate("[window.released_, window.said_, window.frames_]")
    shown = next((frame for frame in frames if frame >= said - 15), frames[-1])
    page.press("undo")
    page.wait(lambda: not page.state("hasPrompts"), "nothing is undone")
    page.settle()
    return said - released, shown - released


def approach_and_click(page, end):
    mouse, start = page.page.mouse, page.place("Red", 0.5, 0.9)
    for step in range(1, 11):
        mouse.move(*(a + (b - a) * step / 10 for a, b in zip(start, end)))
        page.page.wait_for_timeout(25)
    mouse.down()
    mouse.up()


def summary(name, times):
    print(f"{name:32} median {statistics.median(times):5.0f} ms   max {max(times):5.0f} ms   n {len(times)}")


def measure(page):
    page.wait(lambda: page.text("readiness").split("/")[0] not in ("", "0"), "nothing is encoded ahead")
    page.page.evaluate(WATCH)
    clicks = [click(page, place) for place in PLACES]
    summary("click to sentence, slice ready", [said for said, _ in clicks[1:]])
    summary("click to picture, slice ready", [shown for _, shown in clicks[1:]])
    summary("the first click", [clicks[0][1]])


def main():
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        viewer = ViewerProcess(home, volume=SAMPLES / "ts_ct512.nii.gz")
        arguments = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            measure(Page(browser.new_page(viewport={"width": 1400, "height": 900}), viewer.address))
        finally:
            browser.close()
            viewer.stop()


if __name__ == "__main__":
    main()
