"""Obtain prompts that nobody clicks: from files, tables, markups and rough segmentations."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "fromFile": (
            "BoxPrompt",
            "parsePrompts",
            "PlanePrompts",
            "PointPrompt",
            "promptProblems",
            "PromptsFile",
            "readPromptsFile",
            "SCHEMA_FILE",
            "SegmentPrompts",
        ),
        "fromMarkups": ("MarkupPrompts",),
        "fromScene": ("BoxesOfSegmentations", "markupsOf"),
        "fromSegmentation": ("CoarsePrompts", "SegmentsOfLabels", "SegmentsOfMasks", "SegmentsOfNode"),
        "fromTable": ("COLUMNS", "PromptRow", "readTable"),
        "placement": (
            "chosenTerminology",
            "PlacedPrompts",
            "placePrompts",
            "readPropagationOptions",
            "resolvePlane",
            "toRAS",
        ),
        "sliceChoice": ("SliceChoice",),
        "sources": ("PromptsOfSegmentation", "PromptSource", "SharedPrompts"),
        "tableOnVolume": ("TablePrompts",),
    },
)
