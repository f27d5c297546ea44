"""Segment many cases in many processes, resumable after any interruption."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "batchJob": ("BatchJob", "BatchListener", "BatchOptions"),
        "caseFiles": ("isCaseIntact", "readRecord", "removeLeftovers", "writeCase"),
        "casePrompts": ("PromptSearch",),
        "caseRunner": ("CaseRunner", "sourceOf"),
        "cases": ("BatchCase", "findCases"),
        "devices": ("threadsVariables", "workerDevices"),
        "localPool": ("WorkerPool",),
        "lock": ("batchLock",),
        "manifest": ("countStates", "MANIFEST_FILE"),
        "rayPool": ("RayWorker",),
        "report": ("REPORT_FILE", "writeReport"),
        "sceneBatch": ("SceneBatch",),
    },
)
