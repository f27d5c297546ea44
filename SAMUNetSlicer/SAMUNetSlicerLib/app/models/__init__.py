"""Obtain, check, list and choose the networks and their weights."""

from ..._exports import exports

__all__, __getattr__, __dir__ = exports(
    __name__,
    {
        "addUserModel": ("addOwnModel",),
        "httpDownload": ("downloadUrl", "Patience"),
        "modelChoice": ("modelSpec",),
        "packageDownload": ("downloadFromPackage", "extractMember"),
        "requirements": ("MissingRequirement", "missingRequirements", "Requirement", "REQUIREMENTS", "TORCH"),
        "userModels": ("catalog", "forgetModel", "isOwnModel", "registerModel", "userCatalogFile"),
        "weights": (
            "areWeightsIntact",
            "checkedImport",
            "describeDownload",
            "importWeights",
            "installedWeights",
            "isPublic",
            "obtainWeights",
            "removeWeights",
        ),
        "weightsList": ("fileInFolder", "removeRow", "WeightsRow", "weightsRows"),
        "weightsTask": ("WeightsTask",),
    },
)
