"""Draw in slice views and listen to their mouse."""
