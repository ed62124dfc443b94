"""Procedural flats, their furniture and object models: geometry, slots, stances, meshes.

A flat is a pure function of its id; nothing is downloaded and meshes are made when first asked for.
"""

from langrearrange.houses import shapes
from langrearrange.houses.flats import HOUSE_IDS
from langrearrange.houses.geometry import Matrix, Pose2D, rigid
from langrearrange.houses.homes import HomeSource, get_house, houses_for, model_size, register_homes
from langrearrange.houses.house import House, Part, Slot, Surface
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.meshes import part_mesh
from langrearrange.houses.models import MODELS, ObjectModel, models_of, object_mesh
from langrearrange.houses.slots import assign_slots, draw_yaw, slot_pose, yaw_fits
from langrearrange.houses.textures import texture

__all__ = [
    "HOUSE_IDS",
    "MODELS",
    "HomeSource",
    "House",
    "Matrix",
    "Mesh",
    "ObjectModel",
    "Part",
    "Pose2D",
    "Slot",
    "Surface",
    "assign_slots",
    "draw_yaw",
    "get_house",
    "houses_for",
    "model_size",
    "models_of",
    "object_mesh",
    "part_mesh",
    "register_homes",
    "rigid",
    "shapes",
    "slot_pose",
    "texture",
    "yaw_fits",
]
