"""Measure networks on labeled images, and report."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "comparison": ("compare", "CompareOptions"),
        "evaluation": ("product_answers",),
        "metrics": ("iou", "surface_dice"),
        "plots": ("plot_log",),
        "report": ("write_report",),
        "rows": ("read_rows", "Row", "write_rows"),
    },
)
