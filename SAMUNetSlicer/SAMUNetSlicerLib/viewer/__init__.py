"""The browser viewer: Slicer's slice views and the session in a web page, served by trame."""
