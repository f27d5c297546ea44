"""Share what every other package of this layer needs: events, folders of the user, safe files, file names."""
