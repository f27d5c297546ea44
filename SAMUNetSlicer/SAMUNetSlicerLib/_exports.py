"""Export a package's names without importing its modules until a name is asked for.

Slicer's own process must not load torch, and the front end of a batch must not load VTK, only because
another module of the same package needs them.  So a package's ``__init__`` lists its names by module, and
``from package import Name`` imports just that module (PEP 562).
"""

import importlib
from typing import Any, Callable, Dict, List, Sequence, Tuple


def exports(
    package: str, names: Dict[str, Sequence[str]]
) -> Tuple[List[str], Callable[[str], Any], Callable[[], List[str]]]:
    """Return ``__all__``, ``__getattr__`` and ``__dir__`` for a package.

    :param names: the public names of each of its modules; no name may be that of a module.
    """
    modules = {name: module for module, listed in names.items() for name in listed}

    def find(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(f"{package}.{modules[name]}"), name)

    def known() -> List[str]:
        return sorted({*modules, *names})

    return sorted(modules), find, known
