"""Serve encode and predict requests: cached embeddings, order of jobs, the child process and its messages."""
