"""Learn what a structure looks like from the slices that its user has prompted or accepted."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "appearance": ("Appearance", "Example", "finite_values", "in_window", "Known", "Window", "window_of"),
        "fusion": ("recognized",),
        "learner": ("learn_appearance", "log_odds"),
    },
)
