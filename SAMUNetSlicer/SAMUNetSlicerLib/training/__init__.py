"""Train, evaluate and fine-tune the project's own models. PEP 8 names.

May import ``engine``; imported only by ``cli``, and only when one of its commands runs.  Needs the optional
dependencies "training" (scipy, matplotlib).
"""
