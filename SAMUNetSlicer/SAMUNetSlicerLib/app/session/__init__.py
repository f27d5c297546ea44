"""Serve one user with one volume: prompts to masks, undo, provenance, what the views show.

Start reading at `SegmentationSession`; it owns a `Workspace` (the chosen nodes)
and a `SliceEditor` (what changes them).
"""
