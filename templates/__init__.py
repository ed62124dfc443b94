"""Template files: what can be said. Data only."""
