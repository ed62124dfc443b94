"""Shipped data sets and their manifests. Data only."""
