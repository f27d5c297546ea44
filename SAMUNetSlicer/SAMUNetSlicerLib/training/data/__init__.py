"""Read labeled images, draw synthetic ones, simulate prompts, and make batches of them."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "augment": ("augmented", "close_up_view", "Pair", "smooth_field"),
        "batches": ("balanced_weights", "ExampleOptions", "Examples", "mask_on_canvas", "on_canvas"),
        "corpus": (
            "EXCLUDED_LICENSES",
            "load_pair",
            "read_manifest",
            "Sample",
            "split_by_patient",
            "Target",
            "targets",
            "usable",
        ),
        "prompt_simulation": (
            "avoiding_click",
            "careless_box",
            "careless_click",
            "fitted_box",
            "neighboring_mask",
            "next_click",
            "scaled_box",
            "shifted_box",
            "tight_box",
        ),
        "regions": ("edge_regions", "superpixels"),
        "sa_med2d": ("read_corpus",),
        "shapes": ("COMPACT", "kind_of_case", "kind_of_labels", "kind_of_mask", "MANY", "RING", "TREE"),
        "synthetic": ("synthetic_pair",),
    },
)
