"""Serve the browser viewer: who may come in, what may be uploaded, which pages there are."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "access": ("isLoopback",),
        "pages": ("Pages",),
        "reach": ("Reach",),
        "uploads": ("ENDINGS", "MOST_BYTES", "tooLarge", "Uploads"),
        "webServer": ("WebServer",),
    },
)
