"""Read weights that come from elsewhere: nothing in a file is executed, and every fault is one sentence.

Training programs often save more than the weights.  SAM-UNet's saves ``{"model": ..., "optimizer": <the
torch.optim.Adam object>}``, which ``torch.load(weights_only=True)`` refuses.  Such companions are replaced by
empty stand-ins while unpickling; any other name in the pickle refuses the file before it is opened.
"""

import mmap
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Dict, Iterable, List, Mapping, Optional, Union

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from ...atomicFiles import sha256Of
from ...errors import WeightsError
from .device import is_out_of_memory

_PARTS = ("model", "state_dict", "model_state_dict")  # where training programs put the weights
_DISTRIBUTED = "module."  # what DistributedDataParallel puts before every name
_LISTED = 3  # key names in one message
_SAFE_UNPICKLING = (2, 6)  # older releases of torch run code from a file that says so (CVE-2025-32434)


class _StandIn:
    """Takes the place of an object that is of no use here, and does nothing with its contents."""

    def __init__(self, *_args, **_kwargs):
        pass

    def __setstate__(self, state):
        pass


def _empty_dict(*_args):
    return {}


_COMPANIONS = (
    "torch.optim.adam.Adam",
    "torch.optim.adamw.AdamW",
    "torch.optim.sgd.SGD",
    "apex.optimizers.fused_adam.FusedAdam",
    "argparse.Namespace",
    "numpy.dtype",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray.scalar",
)
_HARMLESS = [
    *((_StandIn, name) for name in _COMPANIONS),
    # The restricted unpickler fills plain dictionaries only.
    (_empty_dict, "collections.defaultdict"),
    (dict, "builtins.dict"),
]


# torch lets these make objects of any size from a few bytes.
_GREEDY = ("bytearray",)
_NUMBERS = {
    *(torch.float64, torch.float32, torch.float16, torch.bfloat16),
    *(torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool),
}


def file_sha256(path: Union[str, Path]) -> str:
    """Hexadecimal SHA-256 of a weights file.

    :raises WeightsError: the file is missing or empty.
    """
    _require_content(Path(path))
    return sha256Of(path)


def read_state_dict(path: Union[str, Path]) -> Dict[str, Tensor]:
    """Read the weights of a ``torch.save`` or safetensors file.

    :return: tensors on the CPU by parameter name, without a ``module.`` prefix; half precision as float32.
    :raises WeightsError: the file is missing, empty, cut short, no weights file, or contains code.
    """
    path = Path(path)
    _require_content(path)
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path)
    tensors = _tensors(content)
    if not tensors:
        raise WeightsError(f"The file {path} holds no network weights: choose a checkpoint file.")
    unusable = [name for name, tensor in tensors.items() if not _is_usable(tensor)]
    if unusable:
        raise WeightsError(
            f"The file {path} holds weights in a form that no network here uses ({_some(unusable)}): "
            "save them again as plain floating point numbers."
        )
    return {name: _single(tensor) for name, tensor in tensors.items()}


def _is_usable(tensor):
    """Tell whether a tensor holds plain numbers, all of them in memory: a stride of 0 repeats one."""
    is_plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and tensor.dtype in _NUMBERS
    return is_plain and tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _require_content(path):
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}.")
    if path.stat().st_size == 0:
        raise WeightsError(f"The weights file {path} is empty: get it again.")


def _read_safetensors(path):
    try:
        return safetensors.torch.load_file(path)
    except Exception as error:  # a header may also name a number format that torch lacks
        if is_out_of_memory(error):
            raise
        raise WeightsError(_refusal(path, error)) from error


def _read_torch(path):
    _require_safe_unpickling(path)
    with torch.serialization.safe_globals(_HARMLESS), warnings.catch_warnings():
        # About pickle protocols; what cannot be read is an error below.
        warnings.simplefilter("ignore")
        try:
            _require_plain_archive(path)
            code = _foreign_names(path)
            content = None if code else torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:  # arbitrary bytes make an unpickler stumble in any way
            if is_out_of_memory(error):
                raise
            raise WeightsError(_refusal(path, error)) from error
    if code:
        raise WeightsError(
            f"The file {path} contains code ({_some(code)}) that weights do not need:"
            " it was not opened, and should not be trusted."
        )
    return content


def _require_safe_unpickling(path):
    release = tuple(int(number) for number in torch.__version__.split(".")[:2])
    if release < _SAFE_UNPICKLING:
        raise WeightsError(
            f"torch {torch.__version__} cannot read {path} safely: update torch to 2.6 or newer, or use a "
            "network whose weights are a .safetensors file, as the default one's are."
        )


def _require_plain_archive(path):
    """Refuse few bytes that stand for very many: torch stores what it saves, it does not compress it."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise pickle.UnpicklingError("a compressed archive")
    if sum(member.file_size for member in members) > path.stat().st_size:
        raise pickle.UnpicklingError("members that overlap")


def _foreign_names(path) -> List[str]:
    """Return the names in the pickle that weights do not need, without unpickling; of torch's old format
    only those that torch itself would let pass.
    """
    greedy = [name for name in _GREEDY if _mentions(path, name)]
    if not zipfile.is_zipfile(path):
        return greedy
    return sorted({*greedy, *torch.serialization.get_unsafe_globals_in_checkpoint(path)})


def _mentions(path, name: str) -> bool:
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(name.encode()) >= 0


def _refusal(path, error):
    if isinstance(error, pickle.UnpicklingError) and "unsupported global" in str(error).lower():
        return f"The file {path} contains code that weights do not need, or is damaged: it was not opened."
    return (
        f"The file {path} is no checkpoint of network weights, or it is damaged or cut short: get it again."
    )


def _tensors(content):
    for part in _PARTS:
        if isinstance(content, Mapping) and isinstance(content.get(part), Mapping):
            content = content[part]
    if not isinstance(content, Mapping):
        return {}
    named = {key: value for key, value in content.items() if _is_named(key, value)}
    if all(key.startswith(_DISTRIBUTED) for key in named):
        named = {key[len(_DISTRIBUTED) :]: value for key, value in named.items()}
    return named


def _is_named(key, value):
    return isinstance(key, str) and isinstance(value, Tensor)


def _single(tensor):
    return tensor.detach().float() if tensor.is_floating_point() else tensor.detach()


def load_weights(
    network: nn.Module, weights: Mapping[str, Tensor], name: str, unused: Iterable[str] = ()
) -> None:
    """Give a network its weights, every one of them.

    :param network: may be on the meta device: the tensors themselves become its parameters.
    :param name: of the file, for the message.
    :param unused: prefixes of keys that published files carry for parts the network does not have.
    :raises WeightsError: names the keys that are missing, unexpected, or of another shape.
    """
    prefixes = tuple(unused)
    weights = {key: value for key, value in weights.items() if not key.startswith(prefixes)}
    mismatch = _mismatch(network.state_dict(), weights)
    if mismatch:
        raise WeightsError(
            f"The weights file {name} belongs to another network: {mismatch};"
            " choose the model that it was made for."
        )
    network.load_state_dict(weights, assign=True)


def _mismatch(expected, found) -> Optional[str]:
    missing = [key for key in expected if key not in found]
    unexpected = [key for key in found if key not in expected]
    misshapen = [
        f"{key} {tuple(found[key].shape)} instead of {tuple(expected[key].shape)}"
        for key in expected
        if key in found and found[key].shape != expected[key].shape
    ]
    kinds = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshapen))
    return ", ".join(f"{_keys_are(len(keys))} {kind} ({_some(keys)})" for kind, keys in kinds if keys)


def _keys_are(count):
    return "1 key is" if count == 1 else f"{count} keys are"


def _some(names):
    listed = ", ".join(names[:_LISTED])
    rest = len(names) - _LISTED
    return f"{listed} and {rest} more" if rest > 0 else listed


def samunet_architecture(weights: Mapping[str, Tensor]) -> Optional[str]:
    """Return the SAM-UNet that weights belong to, from their key names; None if to none."""
    if "resnet.stage1.0.conv1.weight" not in weights:
        return None
    if "image_encoder.sam_img_encoder.pos_embed" not in weights:
        return "samunet_compact"
    return "samunet_res50" if "resnet.stage1.0.conv3.weight" in weights else "samunet_res34"
