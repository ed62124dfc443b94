"""Accuracy of a small classifier that names objects in the head camera's images.

A network with one hidden layer gets segmentation crops at native resolution. It is trained in the
63 training flats with one model of every multi-model category held out, and predicts the category
in the 21 test flats, of known and of held-out models. Reported by visible pixels, in colour and in
grey (only shape is left), with the worst confusions.

    python benchmarks/classify_models.py            # about 180 CPU-seconds; needs torch
    python benchmarks/classify_models.py --households 1 --epochs 6   # a quick look
"""

import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from timing import options
from torch import nn
from torch.nn import functional

from langrearrange import houses
from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.generator.household import fitting_models
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.sim import Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.world import initial_state, vocabulary

IMAGE = 256
PATCH = 20
"""Crops are looked at as PATCH x PATCH pixels of their box, beside their native size."""
ORIENTATIONS = 8
SIZES = (8, 24, 50, 100, 200, 400, 10**9)


class Crop(NamedTuple):
    """What was seen of one object: its pixels, everything else masked out."""

    rgb: np.ndarray  # (h, w, 3) uint8, native resolution
    mask: np.ndarray  # (h, w) bool
    category: int
    model: str
    pixels: int


def household(house: houses.House, allowed: frozenset[str], rng: KeyedRng) -> list[ObjectPlacement]:
    """Draw three to five things for every receptacle, from the allowed models that fit there."""
    objects: list[ObjectPlacement] = []
    for receptacle in vocabulary.RECEPTACLES:
        free = len(house.surfaces[receptacle].slots)
        chosen = []
        for category in rng.sample(range(len(vocabulary.CATEGORIES)), min(free, 3 + rng.below(3))):
            fits = [m for m in fitting_models(house, receptacle, category) if m in allowed]
            if fits:
                chosen.append(rng.choice(fits))
        slots = houses.assign_slots(house, receptacle, chosen, rng)
        for model, slot in zip(chosen, slots, strict=True):
            place = {"receptacle": receptacle, "slot": slot}
            yaw = houses.draw_yaw(house, receptacle, model, rng)
            name, category = f"object_{len(objects)}", houses.MODELS[model].category
            placed = ObjectPlacement(id=name, category=category, model=model, yaw=yaw, **place)
            objects.append(placed)
    return objects


def crops(house_ids: Iterable[str], allowed: frozenset[str], num: int) -> Iterator[Crop]:
    """Draw `num` households in each flat, look at every receptacle, cut out what is there."""
    simulator = EmbeddedSimulator()
    rgb = np.zeros((IMAGE, IMAGE, 3), np.uint8)
    segments = np.zeros((IMAGE, IMAGE), np.int32)
    frame = Frame(rgb=rgb, segmentation=segments)
    for house_id, index in itertools.product(house_ids, range(num)):
        house = houses.get_house(house_id)
        rng = KeyedRng(HOUSE_VERSION, "classify_models", house_id, index)
        objects = household(house, allowed, rng)
        simulator.load(house, objects, houses.Pose2D(0, 0, 0))
        places = [vocabulary.RECEPTACLE_INDEX[o.receptacle] for o in objects]
        all_open = (1 << vocabulary.NUM_OPENABLES) - 1
        state = initial_state(places, [o.slot for o in objects], all_open)
        for receptacle in vocabulary.RECEPTACLES:
            simulator.show(state._replace(place=vocabulary.NAV_INDEX[receptacle]))
            simulator.render(simulator.head_camera(), frame)
            for i, placed in enumerate(objects):
                mask = segments == i
                if placed.receptacle == receptacle and mask.sum() >= SIZES[0]:
                    yield cut_out(rgb, mask, placed)


def cut_out(rgb: np.ndarray, mask: np.ndarray, placed: ObjectPlacement) -> Crop:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    category = vocabulary.CATEGORY_INDEX[placed.category]
    return Crop(rgb[box].copy(), mask[box].copy(), category, placed.model, int(mask.sum()))


# --- what the network sees -------------------------------------------------------------------


def features(crop: Crop, grey: bool) -> np.ndarray:
    """Patch colours and mask, edges by direction in 4 x 4 cells, and native size, as float32."""
    rgb = crop.rgb.astype(np.float32) / 255
    if grey:
        rgb = np.repeat((rgb @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], 3, axis=2)
    mask = crop.mask.astype(np.float32)
    height, width = mask.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = torch.zeros(1, 4, side, side)
    drawn = np.concatenate([rgb * mask[..., None], mask[..., None]], axis=2).transpose(2, 0, 1)
    square[0, :, top : top + height, left : left + width] = torch.from_numpy(drawn)
    small = functional.interpolate(square, (PATCH, PATCH), mode="bilinear", antialias=True)
    patch = small[0].permute(1, 2, 0).numpy()
    size = np.log([height, width, crop.pixels, crop.pixels / (height * width) * 10]) - 3
    inside = rgb[crop.mask]
    quantiles = np.quantile(inside, (0.1, 0.9), axis=0).ravel()
    tones = np.concatenate([inside.mean(axis=0), inside.std(axis=0), quantiles])
    channels = patch[..., [0, 3]] if grey else patch
    directions = edges(patch[..., :3].mean(axis=2)), edges(patch[..., 3])
    return np.concatenate([channels.ravel(), *directions, size, tones * 2]).astype(np.float32)


def edges(image: np.ndarray) -> np.ndarray:
    """Return gradient directions weighted by strength, in 4 x 4 cells, normalised."""
    dy, dx = np.gradient(image)
    strength = np.hypot(dx, dy)
    turn = ((np.arctan2(dy, dx) / np.pi % 1.0) * ORIENTATIONS).astype(int) % ORIENTATIONS
    cells = np.zeros((4, 4, ORIENTATIONS), np.float32)
    index = np.arange(PATCH) * 4 // PATCH
    np.add.at(cells, (index[:, None], index[None, :], turn), strength)
    flat = cells.ravel()
    return flat / (np.linalg.norm(flat) + 0.1)


def jittered(crop: Crop, rng: np.random.Generator) -> Crop:
    """Return the crop mirrored at random and its colours turned a little: models vary so."""
    rgb, mask = crop.rgb, crop.mask
    if rng.random() < 0.5:
        rgb, mask = rgb[:, ::-1], mask[:, ::-1]
    color = rgb * rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, 3)
    if rng.random() < 0.4:  # another paint: the shape must tell
        color = np.abs(color @ turned_hue(rng.uniform(-np.pi, np.pi)))
    rgb = np.clip(color, 0, 255).astype(np.uint8)
    return Crop(rgb, mask, crop.category, crop.model, crop.pixels)


def turned_hue(angle: float) -> np.ndarray:
    """Return the rotation of colours about the grey axis."""
    third, root = (1 - np.cos(angle)) / 3, np.sin(angle) / np.sqrt(3)
    a, b, c = np.cos(angle) + third, third - root, third + root
    return np.array([[a, b, c], [c, a, b], [b, c, a]])


# --- the network -----------------------------------------------------------------------------


def train(seen: list[Crop], grey: bool, epochs: int) -> Callable[[list[Crop]], np.ndarray]:
    """Return what names crops, trained on those seen and on two jittered copies of each."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    plain = np.stack([features(crop, grey) for crop in seen])
    mean, spread = plain.mean(axis=0), plain.std(axis=0) + 0.05
    turned = [np.stack([features(jittered(c, rng), grey) for c in seen]) for _ in range(2)]
    x = torch.from_numpy((np.concatenate([plain, *turned]) - mean) / spread)
    labels = torch.tensor([crop.category for crop in seen]).repeat(3)
    layers = nn.Linear(x.shape[1], 256), nn.Linear(256, len(vocabulary.CATEGORIES))
    network = nn.Sequential(layers[0], nn.ReLU(), nn.Dropout(0.4), layers[1])
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=2e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).chunk(len(x) // 128):
            optimizer.zero_grad()
            logits = network(x[batch])
            functional.cross_entropy(logits, labels[batch], label_smoothing=0.05).backward()
            optimizer.step()
        schedule.step()

    @torch.no_grad()
    def name(crops: list[Crop]) -> np.ndarray:
        network.eval()
        shown = np.stack([features(crop, grey) for crop in crops])
        return network(torch.from_numpy((shown - mean) / spread)).argmax(dim=1).numpy()

    return name


# --- the report ------------------------------------------------------------------------------


def report(name: str, guess: np.ndarray, test: list[Crop], unseen: frozenset[str]) -> None:
    truth = np.array([crop.category for crop in test])
    pixels = np.array([crop.pixels for crop in test])
    new = np.array([crop.model in unseen for crop in test])
    right = guess == truth
    print(f"\n{name}: share named rightly (number of crops)")
    heads = ("visible pixels", "all models", "known models", "held-out models")
    print("  " + " ".join(f"{head:>16}" for head in heads))
    for low, high in (*itertools.pairwise(SIZES), (100, SIZES[-1])):
        inside = (pixels >= low) & (pixels < high)
        label = f"{low}-{high - 1}" if high < SIZES[-1] else f">= {low}"
        cells = [inside, inside & ~new, inside & new]
        texts = [f"{right[c].mean():11.3f} ({c.sum():4d})" if c.any() else " " * 17 for c in cells]
        print(f"  {label:>16} {''.join(texts)}")
    big = pixels >= 100
    print("  confusions at >= 100 pixels:")
    names = [vocabulary.CATEGORIES[category] for category in guess]
    pairs = Counter((test[i].model, names[i]) for i in np.flatnonzero(big & ~right))
    seen = Counter(crop.model for crop in test if crop.pixels >= 100)
    for (model, other), count in pairs.most_common(14):
        print(f"    {model:22} called {other:14} {count:4d} of {seen[model]}")


def main() -> None:
    args = options(__doc__, households=6, epochs=25)
    torch.set_num_threads(1)
    begin = time.process_time()
    of_category = map(houses.models_of, vocabulary.CATEGORIES)
    unseen = frozenset(models[-1].id for models in of_category if len(models) > 1)
    everything = frozenset(houses.MODELS)
    flats = houses.houses_for("train"), houses.houses_for("test")
    seen = list(crops(flats[0], everything - unseen, args.households))
    test = list(crops(flats[1], everything, args.households * 2))
    print(f"{len(seen)} crops to learn from, {len(test)} to name, {len(unseen)} models held out")
    for name, grey in (("colour", False), ("grey", True)):
        report(name, train(seen, grey, args.epochs)(test), test, unseen)
    print(f"\n{time.process_time() - begin:.0f} CPU-s")


if __name__ == "__main__":
    main()
