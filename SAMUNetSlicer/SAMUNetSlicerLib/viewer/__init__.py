"""Serve the browser viewer: Slicer's slice views and the session in a web page, by trame."""
