"""Draw in slice views and listen to their mouse."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "maskOutline": ("maskLoops",),
        "overlay": ("orientationLetters", "renderOverlay"),
        "sliceMouse": ("RAS", "SliceMouse", "TOOLS"),
        "viewOutline": ("ViewOutline",),
    },
)
