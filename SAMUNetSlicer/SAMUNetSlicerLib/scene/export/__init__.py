"""Write segments as files of other programs, and verify each file by reading it back."""
