"""Serve one user with one volume: prompts to masks, undo, provenance, what the views show.

Start reading at `SegmentationSession`; it owns a `Workspace` (the chosen nodes)
and a `SliceEditor` (what changes them).
"""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "externalEdits": ("ExternalEdits", "useMaskAsPrompt"),
        "hoverPreview": ("HoverPreview", "Place"),
        "pixelOrigins": ("componentsTouchedBy", "PixelOrigins"),
        "prefetcher": ("Prefetcher",),
        "promptValidation": ("boxOnSlice", "promptsOnSlice"),
        "provenance": (
            "FORMAT",
            "FORMAT_VERSION",
            "learnedId",
            "parseDocument",
            "ProvenanceTags",
            "SegmentProvenance",
            "TAG",
            "UNREADABLE_TAG",
        ),
        "session": ("SegmentationSession",),
        "sliceImages": ("FOLLOW_DISPLAY", "resolveWindow"),
        "sliceRecord": ("decodeMask", "encodeMask", "imageDigest", "SliceRecord"),
        "sliceRequest": ("draftRecord", "MaskReport", "SliceRequest"),
        "stackWriting": ("PredictedSlice",),
        "viewFollower": ("ViewFollower",),
        "viewTools": ("ViewTools",),
        "workspace": ("Target", "Workspace"),
    },
)
