"""`python -m langrearrange_baselines.zero_shot`: a chat model plays, without training."""

from __future__ import annotations

import sys

from .run import main

if __name__ == "__main__":
    sys.exit(main())
