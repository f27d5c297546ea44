"""Carry a segment through the volume, from the slices that the user has prompted, painted or accepted."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "nextPrompts": ("boxAround", "neighborPrompts"),
        "options": ("PropagatedSlice", "PropagationOptions", "PropagationReport", "Stop"),
        "propagator": ("Propagator",),
        "review": ("reviewSlices", "SliceReview"),
        "stopRules": ("grayLevels", "reasonToRefuse"),
        "suggestion": ("expectedErrors", "SliceSuggestion", "suggestSlice"),
    },
)
