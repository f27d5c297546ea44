"""Show the panel in 3D Slicer: connect widgets with a session. Decisions are made in ``app``."""
