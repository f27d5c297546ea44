"""Import the building blocks of the ``segment-anything`` package without torchvision.

``segment_anything/__init__.py`` imports its predictor and with it torchvision, which this product does
not need and which fails to import wherever its build does not match torch.  ``segment_anything.modeling``
itself is plain torch.  So, unless the package has been imported already, its ``modeling`` is imported
below a stand-in package that has only a ``__path__``; every trace of the stand-in is removed afterwards,
so that ``import segment_anything`` elsewhere in the process is the real one.

Source of the blocks: Kirillov et al., "Segment Anything", ICCV 2023 (Apache-2.0).
"""

import importlib
import importlib.util
import sys
import types

from ...errors import EngineError

_PACKAGE = "segment_anything"


def _package_path():
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EngineError(
            "The Python package segment-anything is missing: install it with pip, then try again."
        )
    return list(spec.submodule_search_locations)


def _forget_package():
    for name in [n for n in sys.modules if n == _PACKAGE or n.startswith(_PACKAGE + ".")]:
        del sys.modules[name]


def _import_blocks(*names):
    """Import ``segment_anything.modeling`` and the named submodules of it; see the module's docstring."""
    if _PACKAGE in sys.modules:
        return [importlib.import_module(f"{_PACKAGE}.modeling{name}") for name in names]
    stand_in = types.ModuleType(_PACKAGE)
    stand_in.__path__ = _package_path()
    sys.modules[_PACKAGE] = stand_in
    try:
        return [importlib.import_module(f"{_PACKAGE}.modeling{name}") for name in names]
    finally:
        _forget_package()


_modeling, _common, _mask_decoder = _import_blocks("", ".common", ".mask_decoder")

ImageEncoderViT = _modeling.ImageEncoderViT
MaskDecoder = _modeling.MaskDecoder
PromptEncoder = _modeling.PromptEncoder
TwoWayTransformer = _modeling.TwoWayTransformer
LayerNorm2d = _common.LayerNorm2d
MLPBlock = _common.MLPBlock
MLP = _mask_decoder.MLP

__all__ = [
    "MLP",
    "ImageEncoderViT",
    "LayerNorm2d",
    "MLPBlock",
    "MaskDecoder",
    "PromptEncoder",
    "TwoWayTransformer",
]
