# What Slicer does here concerns packages and servers, not the list of files.
