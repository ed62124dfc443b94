"""The default simulator: a visibility-buffer rasteriser in C behind the Simulator protocol."""

from langrearrange.sim.embedded.simulator import QUALITIES, EmbeddedSimulator

__all__ = ["QUALITIES", "EmbeddedSimulator"]
