"""The default simulator: a visibility-buffer rasteriser in C behind the Simulator protocol."""

from langrearrange.sim.embedded.simulator import QUALITIES, EmbeddedSimulator, Quality, render_batch

__all__ = ["QUALITIES", "EmbeddedSimulator", "Quality", "render_batch"]
