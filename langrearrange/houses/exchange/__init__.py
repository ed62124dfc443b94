"""Flats, episodes and models written for Habitat. Not how flats are made.

export_habitat(["flat_0_00"], Path("out/habitat"))
"""

from langrearrange.houses.exchange.frames import Joint, joint_between
from langrearrange.houses.exchange.glb import write_glb
from langrearrange.houses.exchange.habitat import export_habitat
from langrearrange.houses.exchange.pieces import dataset_config
from langrearrange.houses.exchange.rearrange import (
    RearrangeFile,
    export_rearrange,
    rearrange_episode,
    write_readme,
)

__all__ = [
    "Joint",
    "RearrangeFile",
    "dataset_config",
    "export_habitat",
    "export_rearrange",
    "joint_between",
    "rearrange_episode",
    "write_glb",
    "write_readme",
]
