"""Turn MRML objects into arrays, and arrays into MRML objects.

Nodes and logics are handed in as arguments; no Qt, no ``slicer.app``, ``slicer.mrmlScene`` or
``slicer.util``.  World coordinates are RAS in mm; matrices are 4x4 numpy arrays acting on columns.
"""
