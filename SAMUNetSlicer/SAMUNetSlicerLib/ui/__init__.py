"""The panel in 3D Slicer: widgets to session and back.  What is decided is decided in ``app``."""
