"""Read volumes and segmentations from files, and write results."""
