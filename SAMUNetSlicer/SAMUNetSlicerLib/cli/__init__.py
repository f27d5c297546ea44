"""Offer everything on the command line, as ``samunet``: a thin front end on ``app``."""
