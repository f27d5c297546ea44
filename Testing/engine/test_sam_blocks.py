"""Blocks of segment-anything come in without torchvision and leave nothing behind."""

import importlib.util
import subprocess
import sys

import pytest

from SAMUNetSlicerLib.engine.networks import sam_blocks
from SAMUNetSlicerLib.errors import EngineError


def run(code):
    """Run code in a fresh interpreter; what it printed."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def in_product_s_path(repository, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(repository / "SAMUNetSlicer"))


def test_the_blocks_need_no_torchvision(in_product_s_path):
    code = """
import sys
sys.modules["torchvision"] = None  # as where it is missing or does not fit torch
from SAMUNetSlicerLib.engine.networks.samunet import SAMUNet
print([name for name in sys.modules if name.startswith("segment_anything")])
"""
    assert run(code) == "[]"


# The real package wants torchvision; four names of it are enough to import it.
WITH_TORCHVISION = """
import sys, types
for name, members in {
    "torchvision": (),
    "torchvision.ops": (),
    "torchvision.ops.boxes": ("batched_nms", "box_area"),
    "torchvision.transforms": (),
    "torchvision.transforms.functional": ("resize", "to_pil_image"),
}.items():
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__dict__.update(dict.fromkeys(members))
"""


def test_the_real_package_can_still_be_imported_afterwards(in_product_s_path):
    code = """
from SAMUNetSlicerLib.engine.networks import sam_blocks
import segment_anything
print(segment_anything.modeling.Sam.__name__, "vit_b" in segment_anything.sam_model_registry)
"""
    assert run(WITH_TORCHVISION + code) == "Sam True"


def test_a_package_that_is_loaded_already_is_used_as_it_is(in_product_s_path):
    code = """
import segment_anything
from SAMUNetSlicerLib.engine.networks.sam_blocks import ImageEncoderViT
print(ImageEncoderViT is segment_anything.modeling.ImageEncoderViT)
"""
    assert run(WITH_TORCHVISION + code) == "True"


def test_a_missing_package_is_named_in_one_sentence(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="segment-anything is missing: install it with pip"):
        sam_blocks._package_path()
