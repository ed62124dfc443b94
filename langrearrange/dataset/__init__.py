"""Episodes as records and as folders on disk."""
