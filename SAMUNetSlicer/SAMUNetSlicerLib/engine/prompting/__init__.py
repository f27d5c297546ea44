"""Turn a user's prompts into what a network takes, and its logits into a mask."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "box_from_click": ("candidate_boxes", "choose_box"),
        "boxes": ("bounding_box", "box_with_point", "clipped"),
        "close_ups": ("close_up",),
        "edge_map": ("EdgeMap",),
        "geodesic": ("geodesic_distance",),
        "local_edit": ("follow_clicks",),
        "pieces": ("pieces_at", "pieces_of"),
        "postprocess": ("covers", "logits_of_mask", "stability_score", "violated"),
        "predictor": ("Predictor",),
        "prompt_check": ("checked_prompts",),
    },
)
