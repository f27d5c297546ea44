"""Obtain prompts that nobody clicks: from files, tables, markups and rough segmentations."""
