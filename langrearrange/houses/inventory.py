"""The furniture of every flat. To add a piece, write its record in a file and list it here."""

from typing import Final

from langrearrange.houses.fridge import FRIDGE
from langrearrange.houses.kitchen import KITCHEN
from langrearrange.houses.living import BLACK_TABLE, BROWN_TABLE, CHAIR, SOFA, TV_STAND

INVENTORY: Final = (KITCHEN, SOFA, TV_STAND, BLACK_TABLE, BROWN_TABLE, FRIDGE, CHAIR)
"""Widest first: the order in which they look for a place."""
PART_DESIGNS: Final = {part.name: (piece, part) for piece in INVENTORY for part in piece.parts}
"""Name of a part -> the piece it belongs to, and its design."""
