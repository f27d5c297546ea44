"""Turn a network and its weights into a model: image in, embedding; embedding and prompts in, logits out."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "base": ("PromptableModel",),
        "cards": (
            "Catalog",
            "CATALOG_FILE",
            "ENGINE_FOLDER",
            "InputFormat",
            "load_catalog",
            "ModelCard",
            "SCHEMA_FILE",
            "Source",
            "weights_path",
        ),
        "checkpoint": ("file_sha256", "load_weights", "read_state_dict", "samunet_architecture"),
        "compact": ("CompactModel", "prepared"),
        "device": (
            "available_devices",
            "cpu_multiplies_bf16",
            "MemoryLadder",
            "PRECISIONS",
            "resolve_device",
            "resolve_precision",
        ),
        "loader": ("load_model",),
        "preprocessing": (
            "network_input",
            "normalized_square",
            "resize_longest_side",
            "resized_shape",
            "to_image_logits",
            "to_input_pixels",
        ),
        "sam": ("SamModel",),
        "samunet": ("SAMUNetModel",),
    },
)
