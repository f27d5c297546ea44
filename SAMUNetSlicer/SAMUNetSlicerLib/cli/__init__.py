"""The ``samunet`` command: a thin front end on ``app``."""
