"""Cost of acting with cached keys and values against recomputing the episode at every step.

CPU time of one run. Both act on the same observations with the same policy: a random Llama of 6
layers of 512 (19 million weights), sentences of the training split, episodes of 4 to 32 steps. The
naive way is timed at every eighth step against the eight steps of ours before it, because machines
drift; the median counts. Answers are compared. A new sentence is read from where it parts with one
that was read before: how many were, matters.
"""

import statistics
import time

import torch
from langrearrange_baselines.engine.encoder import FEATURE_DTYPE
from langrearrange_baselines.engine.episodes import Sizes
from langrearrange_baselines.engine.policy import ActionModule
from langrearrange_baselines.engine.tiny import WordTokenizer, tiny_model
from langrearrange_baselines.llarp.backbone import Backbone
from langrearrange_baselines.llarp.cache import Capture
from langrearrange_baselines.llarp.episodes import LlarpEpisodes
from langrearrange_baselines.llarp.observation import ObservationModule
from langrearrange_baselines.llarp.policy import LlarpPolicy
from langrearrange_baselines.llarp.prefixes import PrefixStore
from timing import options
from torch import Tensor

from langrearrange.generator import open_split

FEATURES, PROPRIO, HORIZON, EVERY = 768, 12, 32, 8
POOL, BEFORE = 4096, 2000


def policy_of(dim: int, layers: int) -> LlarpPolicy:
    model = tiny_model(
        hidden_size=dim,
        intermediate_size=int(dim * 2.6875),
        num_hidden_layers=layers,
        num_attention_heads=8,
        num_key_value_heads=8,
        vocab_size=8192,
        initializer_range=0.02,
    )
    backbone = Backbone(model, WordTokenizer())
    torch.manual_seed(0)
    observation = ObservationModule((FEATURES,), PROPRIO, dim)
    return LlarpPolicy(backbone, observation, ActionModule(dim, 70))


def sentences(count: int) -> list[str]:
    source = open_split("train")
    return [source.get(i * len(source) // count).instruction for i in range(count)]


@torch.no_grad()
def naive(policy: LlarpPolicy, episodes: LlarpEpisodes) -> Tensor:
    """Logits of every row, each read from its first word on; padded to the longest of now."""
    prefixes = [prefix for prefix in episodes.instructions if prefix is not None]
    counts = episodes.counts.tolist()
    lengths = torch.tensor([len(p) + c for p, c in zip(prefixes, counts, strict=True)])
    size = int(lengths.max())
    tokens = torch.zeros(len(prefixes), size, policy.backbone.hidden_size)
    for row, (prefix, count) in enumerate(zip(prefixes, counts, strict=True)):
        words = policy.backbone.embed(torch.tensor(prefix.ids))
        seen = policy.tokens(
            episodes.features[row : row + 1, :count], episodes.proprio[row : row + 1, :count]
        )
        tokens[row, : len(words) + count] = torch.cat([words, seen[0]])
    places = torch.arange(size)
    mask = (places <= places[:, None]) & (places < lengths[:, None, None])
    mask = mask | torch.eye(size, dtype=torch.bool)
    positions = places.expand(len(prefixes), -1)
    hidden = policy.backbone(tokens, mask[:, None], positions, Capture())
    return policy.action(hidden[torch.arange(len(prefixes)), lengths - 1]).logits


def measure(
    policy: LlarpPolicy, num_envs: int, steps: int, before: int, known: bool
) -> tuple[float, float, float]:
    """Steps per CPU-second of ours, the ratio to the naive way, and how far answers differ.

    So many sentences were read `before`; those of the run are all among them (`known`) or all new.
    """
    rng = torch.Generator().manual_seed(1)
    pool = sentences(POOL)
    sizes = Sizes(num_envs, HORIZON, (FEATURES,), PROPRIO)
    episodes = LlarpEpisodes(policy, PrefixStore(policy.backbone), sizes)
    episodes.store.get_all(pool[:before])
    pool = pool[:before] if known else pool[before:]
    last = torch.randint(4, HORIZON + 1, (num_envs,), generator=rng)
    next_sentence = iter(pool * (POOL if known else 1))
    episodes.begin(range(num_envs), [next(next_sentence) for _ in range(num_envs)])
    ours = stretch = difference = 0.0
    ratios = []
    for t in range(-HORIZON // 2, steps):  # the first steps spread the episodes' ages
        features = torch.randn(num_envs, FEATURES, generator=rng).to(FEATURE_DTYPE)
        proprio = torch.randn(num_envs, PROPRIO, generator=rng)
        began = time.process_time()
        ended = torch.nonzero(episodes.counts >= last)[:, 0].tolist()
        if ended:
            episodes.begin(ended, [next(next_sentence) for _ in ended])
            last[ended] = torch.randint(4, HORIZON + 1, (len(ended),), generator=rng)
        logits = episodes.step(features, proprio).logits
        if t < 0:
            continue
        stretch += time.process_time() - began
        if (t + 1) % EVERY == 0:
            began = time.process_time()
            slow = naive(policy, episodes)
            ratios.append(EVERY * (time.process_time() - began) / stretch)
            ours, stretch = ours + stretch, 0.0
            difference = max(difference, float((slow - logits).abs().max()))
    return num_envs * steps / ours, statistics.median(ratios), difference


def main() -> None:
    args = options(__doc__, envs=[16, 64], steps=64, dim=512, layers=6)
    if args.steps % EVERY:
        raise SystemExit(f"--steps {args.steps}; accepted: a multiple of {EVERY}")
    torch.set_num_threads(1)
    policy = policy_of(args.dim, args.layers)
    size = sum(p.numel() for p in policy.backbone.model.layers.parameters()) / 1e6
    print(f"{args.layers} layers of {args.dim}, {size:.0f} million weights; steps per CPU-second")
    for num_envs in args.envs:
        for words, before, known in (
            ("every sentence new, none read before", 0, False),
            (f"every sentence new, {BEFORE} read before", BEFORE, False),
            ("no sentence new", 16, True),
        ):
            ours, ratio, difference = measure(policy, num_envs, args.steps, before, known)
            print(
                f"{num_envs:4d} envs, {words:36s}: kept keys {ours:6.0f}, "
                f"{ratio:5.1f}x naive (largest difference of a logit {difference:.0e})",
                flush=True,
            )


if __name__ == "__main__":
    main()
