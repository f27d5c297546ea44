"""What every test shares: one thread per test process, a private home folder, the real weights."""

import os

# Set before torch or numpy load: two OpenMP threads on a busy two-core machine wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import gc
import random
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from SAMUNetSlicerLib.app.common import folders

REPOSITORY = Path(__file__).resolve().parent.parent
# The viewer's tests are run in its own environment, where nothing may be missing.
if find_spec("trame_slicer") is None and not os.environ.get("SAMUNET_TEST_VIEW"):
    collect_ignore = ["viewer"]

if find_spec("hypothesis") is not None:  # the viewer's tests do without
    import hypothesis

    # The same examples in each run, kept nowhere, however busy the machine is;
    # `pytest --hypothesis-profile=default` looks for others.
    hypothesis.settings.register_profile(
        "same",
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile("same")

# Each of these files runs on one worker: its tests share a network, a cluster or training runs.
TOGETHER = {
    "Testing/app/test_batch_killed.py",
    "Testing/app/test_batch_ray.py",
    "Testing/app/test_propagation_real.py",
    "Testing/app/test_real_engine.py",
    "Testing/cli/test_train_command.py",
    "Testing/engine/test_disk_cache.py",
    "Testing/engine/test_golden.py",
    "Testing/engine/test_published_weights.py",
    "Testing/engine/test_real_clicks.py",
    "Testing/scene/test_sample_data.py",
    "Testing/training/test_trainer.py",
}

USER_WEIGHTS = folders.weightsFolder()  # read before any test moves the home folder


def pytest_addoption(parser):
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the tests in a random order")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Shuffle if asked to; begin what takes long early, so that all workers end at about the same time."""
    seed = config.getoption("shuffle")
    if seed is not None:
        random.Random(seed).shuffle(items)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish():
    """Keep the garbage collector from looking, each time, through what lives as long as the process."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out the files of ``TOGETHER`` first and as a whole, then all other tests one by one.

    The mark ``xdist_group`` is not used: with pytest 9.2, pytest-xdist 3.8 ignores it without a word.
    """
    from xdist.scheduler import LoadScopeScheduling

    assert not [file for file in TOGETHER if not (REPOSITORY / file).is_file()], "moved or renamed"

    class Scheduler(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.partition("::")[0]
            return file if file in TOGETHER else nodeid

    return Scheduler(config, log)


def pytest_runtest_setup():
    """Give each test the same random numbers, whichever tests came before it."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(autouse=True)
def private_home(tmp_path_factory, monkeypatch) -> Path:
    """A home folder that only this test sees: nothing is read from or left in the user's own."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("SAMUNET_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def litemedsam_weights() -> Path:
    """The real weights of the default model, as ``samunet models get litemedsam`` leaves them."""
    return _weights("litemedsam", "lite_medsam.pth")


@pytest.fixture(scope="session")
def mobilesam_weights() -> Path:
    """The real weights of the point-capable model, as ``samunet models get mobilesam`` leaves them."""
    return _weights("mobilesam", "mobile_sam.pt")


def _weights(model_id, name):
    path = USER_WEIGHTS / name
    if path.is_file():
        return path
    reason = f"{name} is absent: run `samunet models get {model_id} --yes` once"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
