"""Do the viewer's work on the session: status, saving, export, propagation."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "autosave": ("Autosave",),
        "exports": ("Exports",),
        "network": ("Network",),
        "opening": ("Opening",),
        "propagation": ("Propagation",),
        "savedWork": ("readWork", "restoreWork", "takeWork", "writeWork"),
        "segmentList": ("SegmentList",),
        "segmentationWatch": ("SegmentationWatch",),
        "sessionState": ("SessionState",),
        "status": ("Status",),
    },
)
