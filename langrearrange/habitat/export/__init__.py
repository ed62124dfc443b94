"""Flats, models and episodes written as Habitat and habitat-lab read them."""
