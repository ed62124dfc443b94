"""Draw the golden frames anew: `make golden`, or python tests/golden/make_frames.py [NAME ...].

Look at the pictures before committing them; a changed frame needs its reason in the message.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
FRAMES = HERE / "frames"
sys.path[:0] = [str(HERE.parent / "sim"), str(HERE.parent)]

from golden_frames import VIEWS, digests, draw  # noqa: E402


def main() -> None:
    FRAMES.mkdir(exist_ok=True)
    path = FRAMES / "frames.json"
    golden = json.loads(path.read_text()) if path.exists() else {}
    golden = {name: value for name, value in golden.items() if name in VIEWS}
    for name in sys.argv[1:] or VIEWS:
        frame = draw(VIEWS[name])
        golden[name] = digests(frame)
        assert frame.rgb is not None
        Image.fromarray(frame.rgb).save(FRAMES / f"{name}.png", optimize=True)
    path.write_text(json.dumps(dict(sorted(golden.items())), indent=2) + "\n")


if __name__ == "__main__":
    main()
