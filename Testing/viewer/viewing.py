"""A viewer in a process of its own, and its page in a real browser."""

import asyncio
import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from patience import SECONDS

SAMPLES = Path(__file__).resolve().parents[2] / "Resources" / "SampleData"
VOLUME, OTHER = SAMPLES / "ts_ct3mm.nii.gz", SAMPLES / "ts_mr3mm.nii.gz"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# The page counts what changes in it, but for its last line, which counts slices that are encoded ahead.
_COUNT = """
window.changes_ = 0;
const isElsewhere = ({target}) =>
  !(target.nodeType === Node.TEXT_NODE ? target.parentElement : target)?.closest?.('.samunet-status');
new MutationObserver(records => { if (records.some(isElsewhere)) window.changes_ += 1; })
  .observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
"""

# A view at rest is drawn once more 200 ms later.  A viewer that has answered twice has done what was due.
_REST = """async (deadline) => {
  const pause = time => new Promise(done => setTimeout(done, time));
  const answer = () => window.trame.trigger('key', ['', '']);
  let before;
  do {
    if (performance.now() > deadline) throw new Error('the views never rest');
    before = window.changes_;
    while (window.trame.state.dirtyKeys.size) await pause(20);
    await pause(300);
    await answer();
    await answer();
    await pause(50);
  } while (before !== window.changes_);
  const pictures = [...document.querySelectorAll('.samunet-picture img')];
  await Promise.all(pictures.map(each => each.decode().catch(() => null)));
}"""

_SET = """async ([key, value]) => {
  const {state, client} = window.trame;
  state.set(key, value);
  while (state.dirtyKeys.size || client.isBusy()) await new Promise(done => setTimeout(done, 10));
}"""

# What a test may change in the page.
_CHOICES = ("maximized", "theme", "hasCrosshair", "hasSliceLines", "obliqueTilt", "obliqueTurn")
_CHOICES += ("modelId", "window", "policy", "method", "direction", "formats", "folder")
_CHOICES += ("offsetRed", "offsetYellow", "offsetGreen", "offsetOblique")


def run_apart(coroutine):
    """Run a coroutine on a thread of its own: the browser's driver has an event loop on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@contextlib.contextmanager
def tabs(browser):
    """Opens browser windows that share nothing; at the end, no page may have complained."""
    contexts, complaints = [], []

    def open_tab():
        contexts.append(browser.new_context(viewport={"width": 1280, "height": 860}))
        contexts[-1].set_default_timeout(1000 * SECONDS)
        tab = contexts[-1].new_page()
        tab.on("pageerror", lambda error: complaints.append(str(error)))
        return tab

    yield open_tab
    for context in contexts:
        context.close()
    assert not complaints


class ViewerProcess:
    """``samunet view`` as a user starts it; its work is kept in ``home``."""

    def __init__(self, home, *arguments, volume=VOLUME):
        command = [sys.executable, "-m", "SAMUNetSlicerLib.cli.main", "view", str(volume), "--no-browser"]
        environment = {**os.environ, "SAMUNET_HOME": str(home), "OMP_NUM_THREADS": "1"}
        self.temporary = Path(home) / "temporary"
        self.temporary.mkdir(parents=True, exist_ok=True)
        environment["TMPDIR"] = str(self.temporary)
        environment["PYTHONPATH"] = str(SAMPLES.parents[1] / "SAMUNetSlicer")
        self.log = Path(home) / "viewer.log"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [*command, "--window", "abdomen", *map(str, arguments)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environment,
            )
        first = self.process.stdout.readline()
        if not first.startswith("Open http"):
            self.stop(signal.SIGKILL)
            raise AssertionError(f"the viewer does not start: {self.log.read_text()}")
        self.address = first.split()[1]

    @property
    def base(self):
        return self.address.partition("/?")[0]

    def stop(self, number=signal.SIGTERM):
        """End it, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(SECONDS)
        finally:
            self.process.kill()
            self.process.stdout.close()


class Page:
    """What a user sees and does."""

    def __init__(self, page, address):
        self.page = page
        page.add_init_script(_COUNT)
        self.enter(address)
        self._choices = {key: self.state(key) for key in _CHOICES}

    def enter(self, address):
        self.page.goto(address)
        self.page.wait_for_selector("#view-Red img", timeout=1000 * SECONDS)
        self.wait(lambda: self.text("engine").startswith("Runs on"), "the network is not loaded")
        self.settle()

    def restore(self):
        """Have tools, slices and everything else that can be chosen as at first, and no segments."""
        for key, value in self._choices.items():
            if self.state(key) != value:
                self.setState(key, value)
        self.press("tool-positive")
        self.deleteAll()

    def text(self, element):
        return self.page.locator(f"#{element}").inner_text()

    def press(self, element):
        self.page.locator(f"#{element}").click()

    def open(self, path):
        """Open a file of the viewer's computer."""
        self.press("open")
        self.page.locator("input#path").fill(str(path))
        self.press("open-path")

    def place(self, view, x, y):
        """Screen pixel of a place in a view, given in fractions of its width and height."""
        box = self.page.locator(f"#view-{view}").bounding_box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def click(self, view, x, y, modifiers=()):
        for key in modifiers:
            self.page.keyboard.down(key)
        self.page.mouse.move(*self.place(view, x, y))
        self.page.mouse.down()
        self.page.mouse.up()
        for key in modifiers:
            self.page.keyboard.up(key)

    def drag(self, view, start, end):
        self.page.mouse.move(*self.place(view, *start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(view, *end), steps=8)
        self.page.mouse.up()

    def screen(self):
        """What the page shows, (height, width, 3) int."""
        data = self.page.screenshot(animations="disabled")
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)

    def picture(self, view):
        """What a view shows, (height, width, 3) int."""
        box = self.page.locator(f"#view-{view}").bounding_box()
        x, y, width, height = (round(box[key]) for key in ("x", "y", "width", "height"))
        return self.screen()[y : y + height, x : x + width]

    def color(self, view, x, y):
        """Mean color of the 9 x 9 pixels around a place."""
        picture = self.picture(view)
        row, column = round(y * picture.shape[0]), round(x * picture.shape[1])
        return picture[row - 4 : row + 5, column - 4 : column + 5].mean(axis=(0, 1))

    def redness(self, view, x, y):
        red, green, blue = self.color(view, x, y)
        return red - (green + blue) / 2

    def redArea(self, view):
        """Part of a view, without its title, that is clearly red, as the first segment is."""
        red, green, blue = np.moveaxis(self.picture(view)[30:], -1, 0)
        return float((red - (green + blue) / 2 > 40).mean())

    def state(self, key):
        """A value of the page's state."""
        return self.page.evaluate("key => window.trame.state.get(key)", key)

    def setState(self, key, value):
        """Choose a value, and wait until the viewer has it."""
        self.page.evaluate(_SET, [key, value])

    def settle(self):
        """Wait until the page has stopped changing."""
        self.page.evaluate(_REST, self.page.evaluate("performance.now()") + 1000 * SECONDS)

    def isVisible(self, element):
        return self.page.locator(f"#{element}").is_visible()

    def waitForMask(self, action):
        """Do something that makes a mask, and wait for the sentence about it."""
        self.waitForStatus("ask ", action)  # computed, or written without the network
        self.settle()

    def waitForStatus(self, part, action):
        """Do something, and wait until the status line has a sentence with this part; return the sentence."""
        self.setState("statusText", "")
        self.wait(lambda: not self.text("status"), "the status line cannot be cleared")
        action()
        self.wait(lambda: part in self.text("status"), f"'{part}' was never said")
        return self.text("status")

    def wait(self, condition, otherwise, seconds=SECONDS):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"{otherwise}; the status says: {self.text('status')}"
            self.page.wait_for_timeout(50)

    def segments(self):
        """Names of the segments in the list."""
        return self.page.locator("#segments input.samunet-name").evaluate_all(
            "each => each.map(e => e.value)"
        )

    def deleteAll(self):
        """Delete all segments, as a user does."""
        while self.segments():
            count = len(self.segments())
            self.page.locator("#segments button[title=Delete]").first.click()
            self.page.locator("#delete").click()
            self.wait(lambda count=count: len(self.segments()) < count, "the segment stays")
        self.settle()
