"""Keep a user's points and boxes as markups nodes in the scene."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "pixelPrompts": ("boxCornersOfPixels", "promptPixels"),
        "promptDisplay": ("contrastingColor", "viewNormal"),
        "promptMarkups": (
            "hoveredBox",
            "KIND",
            "makePromptNode",
            "promptNodes",
            "recordsOf",
            "removePromptNode",
        ),
        "promptRecord": ("metadataFromText", "PromptRecord", "sameOrientation"),
        "promptStore": ("PromptStore",),
    },
)
