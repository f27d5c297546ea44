"""Describe this installation on one page: what is here, what is missing, and how to get it."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from ... import __version__
from ...engine.models import ModelCard
from ..common import cacheFolder, homeFolder
from ..models import areWeightsIntact, catalog, installedWeights, isPublic

# Import name and distribution of everything the product needs; Slicer brings some without a distribution.
_PACKAGES = (
    ("torch", "torch"),
    ("segment_anything", "segment-anything"),
    ("safetensors", "safetensors"),
    ("numpy", "numpy"),
    ("PIL", "pillow"),
    ("SimpleITK", "SimpleITK"),
    ("pydicom", "pydicom"),
    ("slicer", "slicer-core"),
    ("vtk", "vtk"),
    ("requests", "requests"),
    ("tqdm", "tqdm"),
)
# The same for what only some work needs; what it is for, and the extra of this product that brings it.
_OPTIONAL = (
    ("highdicom", "highdicom", "DICOM SEG", "dicom"),
    ("pyarrow", "pyarrow", "Parquet tables", "parquet"),
    ("ray", "ray", "batches on several machines", "ray"),
    ("trame_slicer", "trame-slicer", "the browser viewer", "view"),
    ("scipy", "scipy", "training", "training"),
    ("matplotlib", "matplotlib", "reports of evaluations", "training"),
)
_LITTLE_MEMORY = 2e9  # bytes: the default model and a 512 x 512 x 400 volume need about half of that
_LITTLE_DISK = 1e9


def examine() -> Dict[str, Any]:
    """Return the report as plain JSON values; ``problems`` holds one sentence for each thing to do."""
    report = {
        "product": {"version": __version__, "folder": str(Path(__file__).parents[2])},
        "system": _system(),
        "packages": {name: _version(module, name) for module, name in _PACKAGES},
        "optional": [_optional(*package) for package in _OPTIONAL],
        "computing": _computing(),
        "weights": [_weights(card) for card in catalog().cards.values()],
        "storage": _storage(),
    }
    report["problems"] = _problems(report)
    return report


def reportText(report: Dict[str, Any]) -> str:
    """Return the report as a page that can be copied into a message."""
    system, computing, storage = report["system"], report["computing"], report["storage"]
    packages = (f"{name} {version or 'MISSING'}" for name, version in report["packages"].items())
    rows: List[Tuple[str, str]] = [
        ("SAMUNetSlicer", f"{report['product']['version']} in {report['product']['folder']}"),
        ("Python", f"{system['python']} ({system['executable']})"),
        ("System", f"{system['os']}, {system['cores']} cores"),
        ("Memory", f"{_gigabytes(system['freeMemory'])} free of {_gigabytes(system['memory'])}"),
        ("Slicer", system["slicer"]),
        ("Packages", ", ".join(packages)),
        *(("Optional", _optionalText(entry)) for entry in report["optional"]),
        ("Devices", computing["error"] or ", ".join(computing["devices"])),
        ("Precision", f"{computing['precision']} with --precision auto; CPU: {computing['cpu']}"),
        ("Home", f"{storage['folder']}, {_gigabytes(storage['freeDisk'])} free"),
        ("Cache", f"{storage['cachedSlices']} encoded slices, {storage['cacheBytes'] / 1e6:.1f} MB"),
        *(("Weights", f"{entry['id']}: {entry['state']}") for entry in report["weights"]),
    ]
    lines = [f"{name + ':':15}{value}" for name, value in rows]
    problems = [f"- {problem}" for problem in report["problems"]]
    return "\n".join([*lines, "", *(["To do:", *problems] if problems else ["Everything is in place."])])


def _system() -> Dict[str, Any]:
    home = os.environ.get("SLICER_HOME")  # set by Slicer for all that runs in it
    return {
        "os": platform.platform(),
        "python": platform.python_version(),
        "executable": sys.executable,
        "cores": os.cpu_count(),
        "memory": _memory("MemTotal"),
        "freeMemory": _memory("MemAvailable"),
        "slicer": f"inside {home}" if home else shutil.which("Slicer") or "not found (not needed here)",
    }


def _memory(name: str) -> Optional[int]:
    """Return the bytes of an entry of /proc/meminfo, None where the system has none."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), None)


def _version(module: str, distribution: str) -> Optional[str]:
    """Version of a package, None if it is missing; nothing is imported."""
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "bundled"


def _optional(module: str, name: str, purpose: str, extra: str) -> Dict[str, Any]:
    command = f"pip install 'SAMUNetSlicer[{extra}]'"
    return {"name": name, "version": _version(module, name), "purpose": purpose, "command": command}


def _optionalText(entry: Dict[str, Any]) -> str:
    state = entry["version"] or f"not here, {entry['command']}"
    return f"{entry['name']}, for {entry['purpose']}: {state}"


def _computing() -> Dict[str, Any]:
    """Return devices in the order of preference; a broken installation of torch is part of the report."""
    try:
        import torch

        from ...engine.models import available_devices, resolve_precision
        from ...engine.serving import most_threads
    except (ImportError, OSError) as error:
        message = f"none, torch cannot be loaded ({error})"
        return {"error": message, "devices": [], "precision": "none", "cpu": platform.machine()}
    devices = available_devices()
    capability = torch.backends.cpu.get_cpu_capability()
    return {
        "error": "",
        "devices": [_deviceText(device) for device in devices],
        "precision": resolve_precision("auto", devices[0]),
        "cpu": f"{platform.machine()} {capability}, {most_threads()} threads",
    }


def _deviceText(device: str) -> str:
    if device == "cpu":
        return device
    import torch

    free, total = torch.cuda.mem_get_info(device)
    name = torch.cuda.get_device_name(device)
    return f"{device} ({name}, {_gigabytes(free)} free of {_gigabytes(total)})"


def _weights(card: ModelCard) -> Dict[str, Any]:
    path = installedWeights(card)
    command = f"samunet models get {card.id}" + ("" if isPublic(card) else " --from FILE")
    if path is None:
        state = f"not here: {command}"
    elif not areWeightsIntact(card, path):
        state = f"damaged: {command}"
    else:
        state = f"in {path}"
    return {"id": card.id, "path": str(path) if path else None, "state": state}


def _storage() -> Dict[str, Any]:
    folder = homeFolder()
    files = [path for path in cacheFolder().glob("*.safetensors") if path.is_file()]
    existing = next(parent for parent in [folder, *folder.parents] if parent.exists())
    return {
        "folder": str(folder),
        "freeDisk": shutil.disk_usage(existing).free,
        "cachedSlices": len(files),
        "cacheBytes": sum(path.stat().st_size for path in files),
    }


def _problems(report: Dict[str, Any]) -> List[str]:
    """Return one sentence for each thing that must be done before segmenting, or will stand in its way."""
    missing = [name for name, version in report["packages"].items() if version is None]
    freeMemory, storage = report["system"]["freeMemory"], report["storage"]
    default = catalog().default
    problems = []
    if missing:
        problems.append(f"Packages are missing: pip install {' '.join(missing)}")
    if report["computing"]["error"]:
        problems.append(f"Nothing can be computed: {report['computing']['error']}.")
    for entry in report["weights"]:
        if entry["state"].startswith("damaged") or (entry["id"] == default and entry["path"] is None):
            problems.append(f"The weights of {entry['id']} are {entry['state']}")
    if freeMemory is not None and freeMemory < _LITTLE_MEMORY:
        problems.append("Memory is short: close other programs.")
    if storage["freeDisk"] < _LITTLE_DISK:
        problems.append(f"The disk is short: free some space where {storage['folder']} lies.")
    return problems


def _gigabytes(size: Optional[float]) -> str:
    return "an unknown amount" if size is None else f"{size / 1e9:.1f} GB"
