"""Place slices in space: planes, stacks of planes, their pixels, the voxels that they cut."""
