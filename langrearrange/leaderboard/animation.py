"""An episode as moving pictures: camera beside map, sentence, skill by skill. GIF, or MP4 by extra.

Not for the page (`page`), which draws its own map.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from langrearrange.dataset import Episode
from langrearrange.env import LangRearrangeEnv, LangRearrangeHardEnv, Observation
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.world import ACTION_NAMES

CAPTION_PX: Final = 34
GOOD: Final = (0, 122, 90)
BAD: Final = (184, 67, 15)
INK: Final = (29, 36, 48)
PALE: Final = (190, 196, 206)
PANEL_PX: Final = 236
SHOWN: Final = 5
GIF_MS: Final = 700
LAST_MS: Final = 2200

Picture = NDArray[np.uint8]


@contextmanager
def playing(episode: Episode, *, hard: bool, **options: Any) -> Iterator[LangRearrangeEnv]:
    """Yield an env that stands at the start of an episode; closed at the end.

    Args:
        episode: what is played.
        hard: whether it is the hard variant.
        options: further options of the env.
    """
    env = (LangRearrangeHardEnv if hard else LangRearrangeEnv)(episodes=[episode], **options)
    try:
        env.reset(options={"episode_id": episode.id})
        yield env
    finally:
        env.close()


def record(
    episode: Episode,
    actions: Sequence[int],
    *,
    hard: bool = False,
    image_size: int = 256,
    probabilities: Sequence[NDArray[np.float64]] = (),
    **simulator: Any,
) -> list[Picture]:
    """Replay actions and return a captioned picture before each skill and after the last.

    Args:
        episode: what is played.
        actions: skills, as in a trace; those behind the episode's end are not played.
        hard: under the rules of the hard variant.
        image_size: side of the camera picture, pixels.
        probabilities: before each skill, of all skills, (num_actions,): the likeliest are shown at
            the right, the one that was chosen in colour.
        simulator: arguments of the env that say what draws: `simulator`, `habitat_python`, ...

    Returns:
        len(actions) + 1 pictures (height, width, 3) uint8, all of one size.
    """
    options = {"observation": "state", "render_mode": "rgb_array", "image_size": image_size}
    with playing(episode, hard=hard, **options, **simulator) as env:
        pictures = [_captioned(env.render(), "start", "", True)]
        for step, action in enumerate(actions, start=1):
            _, _, terminated, truncated, info = env.step(action)
            outcome = str(info["outcome"])
            note = "success" if info["success"] else outcome.replace("_", " ")
            caption = f"{step}. {ACTION_NAMES[action]}"
            pictures.append(_captioned(env.render(), caption, note, outcome == "ok"))
            if terminated or truncated:
                break
    if not len(probabilities):
        return pictures
    chosen = [*actions, -1][: len(pictures)]
    known = [*probabilities, *[np.zeros(0)] * len(pictures)]
    return [_beside(*parts) for parts in zip(pictures, known, chosen, strict=False)]


def camera_frames(
    episode: Episode, actions: Sequence[int], *, hard: bool = False, quality: int = 70
) -> list[bytes]:
    """Return the robot's camera before each skill and after the last, as 256-pixel JPEGs."""

    def picture(observation: Observation) -> bytes:
        buffer = io.BytesIO()
        Image.fromarray(observation["rgb"]).save(buffer, "JPEG", quality=quality)
        return buffer.getvalue()

    with playing(episode, hard=hard, observation="rgb") as env:
        first, _ = env.reset(options={"episode_id": episode.id})
        return [picture(first), *(picture(env.step(action)[0]) for action in actions)]


def write_animation(path: Path | str, pictures: Sequence[Picture]) -> Path:
    """Write pictures as a GIF, an MP4 (extra `video`) or the last one as a PNG, by the ending.

    Args:
        path: NAME.gif, NAME.mp4 or NAME.png.
        pictures: (height, width, 3) uint8, at least one, all of one size.

    Raises:
        UsageError: another ending, or no pictures.
        MissingExtraError: MP4 without the extra.
    """
    path = Path(path)
    if not pictures:
        raise UsageError("an animation needs at least one picture; none were given")
    check_ending(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    _WRITERS[path.suffix.lower()](path, pictures)
    return path


def check_ending(path: Path) -> None:
    """Raise UsageError unless `write_animation` can write a file of this name."""
    if path.suffix.lower() not in _WRITERS:
        raise UsageError(f"'{path.name}' ends in '{path.suffix}'; accepted: {', '.join(_WRITERS)}")


def _write_gif(path: Path, pictures: Sequence[Picture]) -> None:
    images = [Image.fromarray(picture) for picture in pictures]
    # One palette for all, so that nothing flickers; the octree keeps small bright things bright.
    sample = Image.fromarray(np.concatenate(pictures[:: max(1, len(pictures) // 6)]))
    palette = sample.quantize(256, method=Image.Quantize.FASTOCTREE)
    indexed = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    durations = [GIF_MS] * (len(indexed) - 1) + [LAST_MS]
    indexed[0].save(
        path, save_all=True, append_images=indexed[1:], duration=durations, loop=0, optimize=True
    )


def _write_mp4(path: Path, pictures: Sequence[Picture]) -> None:
    try:
        import av
    except ImportError:
        raise MissingExtraError("writing MP4", "video", "av") from None
    height, width = (side - side % 2 for side in pictures[0].shape[:2])
    with av.open(str(path), "w") as file:
        stream = file.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index, picture in enumerate(pictures):
            held_ms = LAST_MS if index == len(pictures) - 1 else GIF_MS
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]))
            for _ in range(held_ms // 100):
                file.mux(stream.encode(frame))
        file.mux(stream.encode())


def _write_png(path: Path, pictures: Sequence[Picture]) -> None:
    Image.fromarray(pictures[-1]).save(path)


_WRITERS: Final = {".gif": _write_gif, ".mp4": _write_mp4, ".png": _write_png}


def _beside(picture: Picture, probabilities: NDArray[np.float64], chosen: int) -> Picture:
    """Return the picture with the likeliest skills at its right, as bars with their shares."""
    height = picture.shape[0]
    panel = Image.new("RGB", (PANEL_PX, height), "white")
    draw, font = ImageDraw.Draw(panel), ImageFont.load_default(14)
    if len(probabilities):
        draw.text((12, 18), "next skill", INK, ImageFont.load_default(16), anchor="lm")
    for place, skill in enumerate(np.argsort(-probabilities, kind="stable")[:SHOWN]):
        share, top = float(probabilities[skill]), 40 + place * 54
        colour = GOOD if skill == chosen else PALE
        draw.rectangle((12, top + 20, 13 + round(share * (PANEL_PX - 70)), top + 30), colour)
        draw.text((12, top + 9), ACTION_NAMES[skill], INK, font, anchor="lm")
        draw.text((PANEL_PX - 12, top + 25), f"{share:.0%}", INK, font, anchor="rm")
    return np.concatenate([picture, np.asarray(panel)], axis=1)


def _captioned(picture: object, skill: str, note: str, good: bool) -> Picture:
    """Return the picture with a strip below that says skill and outcome."""
    above = np.asarray(picture, np.uint8)
    strip = Image.new("RGB", (above.shape[1], CAPTION_PX), "white")
    draw = ImageDraw.Draw(strip)
    font = ImageFont.load_default(16)
    draw.text((12, CAPTION_PX // 2), skill, INK, font, anchor="lm")
    if note:
        draw.text((above.shape[1] - 12, CAPTION_PX // 2), note, GOOD if good else BAD, font, "rm")
    return np.concatenate([above, np.asarray(strip)])
