"""Build the sections of the panel, one file each."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "advancedSection": ("AdvancedSection",),
        "batchSection": ("BatchSection",),
        "choicesSection": ("ChoicesSection",),
        "correctSection": ("CorrectSection",),
        "exportSection": ("dicomFiles", "ExportSection"),
        "modelSection": ("ModelSection",),
        "nodesSection": ("NodesSection",),
        "promptToolsSection": ("PromptToolsSection",),
        "propagateSection": ("PropagateSection",),
        "segmentsSection": ("SegmentsSection",),
        "selfCheckSection": ("SelfCheckSection",),
        "setupSection": ("SetupSection",),
    },
)
