"""Read and write the voxels of segments, never touching those of other segments unless told to."""
