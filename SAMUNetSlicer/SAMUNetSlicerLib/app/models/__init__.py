"""Obtain, check, list and choose the networks and their weights."""
