"""Inference: numpy and torch only, no slicer, vtk or Qt.  PEP 8 names.

Arrays are row-major images ``(H, W)`` or ``(H, W, 3)``; pixel coordinates are ``(x, y)`` with x to the
right, y down and integers at pixel centers.
"""
