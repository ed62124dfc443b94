"""Pictures in a terminal: two pixels per character cell, 24-bit colour. Not for windows."""

import os
import shutil
import sys

import numpy as np
from numpy.typing import NDArray


def supports_colour() -> bool:
    """Whether stdout is a terminal that may be coloured (NO_COLOR and TERM=dumb switch it off)."""
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )


def picture(rgb: NDArray[np.uint8], columns: int | None = None) -> str:
    """Return an image as lines of half blocks.

    Args:
        rgb: (height, width, 3) uint8.
        columns: characters per line; None: what the terminal holds, at most 96.
    """
    from PIL import Image

    width = columns or min(shutil.get_terminal_size().columns, 96)
    height = max(2, rgb.shape[0] * width // rgb.shape[1] // 2 * 2)
    image = Image.fromarray(rgb).resize((width, height), Image.Resampling.BOX)
    small = np.asarray(image, dtype=np.uint8)
    lines = []
    for upper, lower in zip(small[0::2], small[1::2], strict=True):
        cells = [
            f"\x1b[38;2;{a[0]};{a[1]};{a[2]};48;2;{b[0]};{b[1]};{b[2]}m\u2580"
            for a, b in zip(upper.tolist(), lower.tolist(), strict=True)
        ]
        lines.append("".join(cells) + "\x1b[0m")
    return "\n".join(lines)
