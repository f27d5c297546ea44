"""Write the lists of packaged files in SAMUNetSlicer/CMakeLists.txt from what is on disk.

    python Testing/cmake_lists.py

``test_cmake.py`` compares the lists with the disk.
"""

import re
from pathlib import Path

MODULE = Path(__file__).resolve().parents[1] / "SAMUNetSlicer"
PACKAGED = {".py", ".json", ".ui", ".svg", ".png", ".txt", ".safetensors", ".nrrd"}
# Tests are run by ctest from the sources; pip leaves its notes beside the library.
NOT_PACKAGED = r"Testing/|.*\.egg-info/"


def files_on_disk(folder: Path):
    """List the files to package below a folder, as sorted POSIX paths relative to it."""
    files = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    names = [path.relative_to(folder).as_posix() for path in files if path.suffix in PACKAGED]
    return sorted(name for name in names if name != "CMakeLists.txt" and not re.match(NOT_PACKAGED, name))


def with_lists(text: str, names) -> str:
    """Return the text of a CMakeLists.txt with both of its lists replaced."""
    lists = {
        "MODULE_PYTHON_SCRIPTS": [name for name in names if name.endswith(".py")],
        "MODULE_PYTHON_RESOURCES": [name for name in names if not name.endswith(".py")],
    }
    for variable, entries in lists.items():
        block = "".join(f"  {name}\n" for name in entries)
        text = re.sub(rf"(set\({variable}\n).*?(  \))", rf"\g<1>{block}\g<2>", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    lists = MODULE / "CMakeLists.txt"
    lists.write_text(with_lists(lists.read_text(encoding="utf-8"), files_on_disk(MODULE)), encoding="utf-8")
