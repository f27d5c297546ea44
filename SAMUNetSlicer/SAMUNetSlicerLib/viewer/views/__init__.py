"""Show slice views in the browser, and take its mouse."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "browserViews": ("BrowserViews",),
        "displayWindow": ("AUTOMATIC", "setDisplayWindow"),
        "graphics": ("prepareGraphics",),
        "layout": ("Layout",),
        "oblique": ("Oblique",),
        "pane": ("drawOverlay", "drawPanes"),
        "tools": ("NAVIGATE", "Tools", "WINDOW"),
        "viewState": ("ViewState",),
    },
)
