"""Segment many cases in many processes, resumable after any interruption."""
