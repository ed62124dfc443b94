"""The robot's body as far as flats must know it: base radius, head position. Not its camera or arm.

The head is where a Fetch carries it: ahead of the base's centre. `sim.camera` looks from there.
"""

from typing import Final

ROBOT_RADIUS_MM: Final = 270
"""The base is a disc of this radius; it keeps that far from furniture and walls."""
HEAD_FORWARD_MM: Final = 150
"""The head camera's centre is this far ahead of the base's centre."""
HEAD_HEIGHT_MM: Final = 1200
"""The head camera's height above the floor (paper: 1.2 m)."""
MAX_REACH_MM: Final = 1200
"""No slot is farther from the head camera than this, at the stance of its receptacle."""
