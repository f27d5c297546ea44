"""Install what is missing, obtain weights, and start the engine with Slicer's Python."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "engineLaunch": ("slicerEngineLaunch",),
        "failurePage": ("FailurePage",),
        "installFlow": ("installRequirements", "missingText"),
        "sampleData": ("loadSample", "registerSampleData", "sampleHint"),
        "weightsDialog": ("WeightsDialog",),
    },
)
