"""Run whole jobs without a user: segment a volume, replay provenance, the demo, the doctor."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "caseRecord": (
            "CaseRecord",
            "DONE",
            "FAILED",
            "FINISHED",
            "NEEDS_REVIEW",
            "QUEUED",
            "REVIEW_BELOW",
            "reviewReasons",
            "RUNNING",
            "SegmentResult",
            "SliceResult",
        ),
        "caseResults": ("confidences", "segmentResults", "sliceResults"),
        "demo": ("Demo", "ReadBack"),
        "demoCases": ("CASES", "LabeledVolume", "promptsDocument"),
        "doctor": ("examine", "reportText"),
        "promptRun": ("PromptRun", "runPrompts", "SegmentedSlice"),
        "replay": ("Replay", "runReplayJob"),
        "segmentJob": ("runSegmentJob", "SegmentJob"),
        "slicePictures": ("contactSheet", "drawThumbnails", "savePicture", "slicePicture"),
    },
)
