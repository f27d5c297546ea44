"""Find nodes of a scene."""

from typing import List


def nodesOfClass(scene, className: str) -> List:
    """Return all nodes of a class in a vtkMRMLScene, those of derived classes included."""
    nodes = scene.GetNodesByClass(className)
    nodes.UnRegister(None)  # the scene returns the collection with a reference that nobody gives back
    return list(nodes)
