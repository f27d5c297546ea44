"""Carry a segment through the volume, from the slices that the user has prompted, painted or accepted."""
