"""Share what every other package of this layer needs: events, folders of the user, safe files, file names."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "fileNames": ("distinctNames", "fileName", "nameAndJoint", "printablePath", "requireUtf8"),
        "folders": ("cacheFolder", "homeFolder", "weightsFolder"),
        "safeFiles": (
            "copyStream",
            "installVerified",
            "lockExclusively",
            "noProgress",
            "outputErrors",
            "Progress",
            "requireSpace",
            "utcNow",
        ),
    },
)
