"""Houses, episodes and meshes in and out: Habitat datasets, GLB files. Not how flats are made.

export_habitat(["flat_0_00"], Path("out/habitat"))
mesh = import_mesh(Path("teapot.glb")).mesh
"""

from langrearrange.houses.exchange.frames import Joint, joint_between
from langrearrange.houses.exchange.glb import write_glb
from langrearrange.houses.exchange.glb_read import GlbScene, Primitive, read_glb
from langrearrange.houses.exchange.habitat import export_habitat
from langrearrange.houses.exchange.meshes_import import ImportedMesh, ImportReport, import_mesh
from langrearrange.houses.exchange.pieces import dataset_config
from langrearrange.houses.exchange.rearrange import (
    RearrangeFile,
    export_rearrange,
    rearrange_episode,
    write_readme,
)

__all__ = [
    "GlbScene",
    "ImportReport",
    "ImportedMesh",
    "Joint",
    "Primitive",
    "RearrangeFile",
    "dataset_config",
    "export_habitat",
    "export_rearrange",
    "import_mesh",
    "joint_between",
    "read_glb",
    "rearrange_episode",
    "write_glb",
    "write_readme",
]
