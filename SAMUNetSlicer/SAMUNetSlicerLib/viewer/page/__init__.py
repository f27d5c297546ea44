"""Lay out the viewer's page: sidebar, toolbar, dialogs."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "page": ("drawPage",),
    },
)
