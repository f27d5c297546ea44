"""Segment structures of volumes, slice by slice, from points and boxes, with SAM-UNet.

Layers, imports only downwards (enforced by Testing/packaging/test_import_direction.py)::

    cli, ui, viewer     front ends: command line, Qt panel, browser
        app             session, jobs, provenance, settings: policy, no Qt
    scene     engine    MRML objects in and out | numpy + torch, nothing of Slicer
        errors          exceptions whose text a radiologist may read

Nothing is imported here: importing the package costs no time inside Slicer.
"""

__version__ = "0.1.0"
