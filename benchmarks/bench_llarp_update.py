"""How much cheaper learning is with one row an env and constant instructions.

CPU time of forward and backward through a frozen random Llama (6 layers of 512), 8 envs of 32
steps, best of six. The padded layout, which the released code uses, has a row per episode:
instruction padded on the left, steps on the right, everything in the graph. Gradients are compared.
"""

import time
from collections.abc import Callable

import torch
from bench_llarp_rollout import FEATURES, PROPRIO, policy_of, sentences
from langrearrange_baselines.engine.encoder import FEATURE_DTYPE
from langrearrange_baselines.engine.packing import Carried, Rows, Segment, Segments
from langrearrange_baselines.llarp.cache import Capture
from langrearrange_baselines.llarp.policy import LlarpPolicy
from langrearrange_baselines.llarp.prefixes import PrefixStore
from timing import options
from torch import Tensor


def rollout(policy: LlarpPolicy, num_envs: int, num_steps: int) -> Rows:
    """Random observations, episodes of 4 to 32 steps that begin with the rollout."""
    rng = torch.Generator().manual_seed(2)
    store = PrefixStore(policy.backbone)
    pool = iter(sentences(num_envs * num_steps // 4))
    segments: list[Segment] = []
    for row in range(num_envs):
        start = 0
        while start < num_steps:
            stop = min(num_steps, start + int(torch.randint(4, 33, (), generator=rng)))
            segments.append(Segment(row, start, stop, store.get(next(pool))))
            start = stop
    carried = Carried(
        torch.zeros(num_envs, 0, FEATURES, dtype=FEATURE_DTYPE),
        torch.zeros(num_envs, 0, PROPRIO),
        torch.zeros(num_envs, dtype=torch.long),
        policy.initial_memory(num_envs),
    )
    features = torch.randn(num_envs, num_steps, FEATURES, generator=rng).to(FEATURE_DTYPE)
    proprio = torch.randn(num_envs, num_steps, PROPRIO, generator=rng)
    return Rows(features, proprio, Segments.collect(segments), carried)


def padded(policy: LlarpPolicy, rows: Rows) -> Tensor:
    """Logits (envs, steps, actions) from one padded row an episode."""
    seen = policy.tokens(rows.features, rows.proprio)
    pieces = list(rows.segments)
    words = max(len(s.instruction) for s in pieces)
    steps = max(s.stop - s.start for s in pieces)
    size = words + steps
    tokens, real, positions = [], torch.zeros(len(pieces), size, dtype=torch.bool), []
    for i, s in enumerate(pieces):
        pad, count = words - len(s.instruction), s.stop - s.start
        embedded = policy.backbone.embed(torch.tensor(s.instruction.ids))
        parts = torch.cat([embedded, seen[s.row, s.start : s.stop]])
        tokens.append(torch.nn.functional.pad(parts, (0, 0, pad, steps - count)))
        real[i, pad : words + count] = True
        positions.append((torch.arange(size) - pad).clamp(min=0))
    places = torch.arange(size)
    mask = (places <= places[:, None]) & real[:, None, :] | torch.eye(size, dtype=torch.bool)
    hidden = policy.backbone(torch.stack(tokens), mask[:, None], torch.stack(positions), Capture())
    parts = [hidden[i, words : words + s.stop - s.start] for i, s in enumerate(pieces)]
    return policy.action(torch.cat(parts).reshape(*rows.features.shape[:2], -1)).logits


def measure(policy: LlarpPolicy, logits_of: Callable[[], Tensor]) -> tuple[float, float, Tensor]:
    """CPU milliseconds forward and backward, and the gradient."""
    best = [float("inf"), float("inf")]
    gradient = torch.empty(0)
    for _ in range(6):
        policy.zero_grad()
        began = time.process_time()
        logits = logits_of()
        weights = torch.linspace(-1, 1, logits.numel()).reshape(logits.shape)
        loss = (logits * weights).sum()
        middle = time.process_time()
        loss.backward()
        ended = time.process_time()
        best = [min(best[0], middle - began), min(best[1], ended - middle)]
        grads = [p.grad.flatten() for _, p in policy.trained() if p.grad is not None]
        gradient = torch.cat(grads)
    return best[0] * 1e3, best[1] * 1e3, gradient


def main() -> None:
    args = options(__doc__, envs=8, steps=32, dim=512, layers=6)
    torch.set_num_threads(1)
    policy = policy_of(args.dim, args.layers)
    rows = rollout(policy, args.envs, args.steps)
    words, episodes = int(rows.segments.lengths.sum()), len(rows.segments.rows)
    print(
        f"{args.envs} envs of {args.steps} steps: {episodes} episodes, {words} tokens of sentences"
    )
    ways = {
        "padded row an episode": lambda: padded(policy, rows),
        "row an env, all in the graph": lambda: policy.evaluate_full(rows).logits,
        "row an env, constant sentences": lambda: policy.evaluate_constant(rows).logits,
    }
    first: tuple[float, Tensor] | None = None
    for name, way in ways.items():
        forward, backward, gradient = measure(policy, way)
        first = first or (forward + backward, gradient)
        off = float((gradient - first[1]).norm() / first[1].norm())
        print(
            f"{name:32s} forward {forward:5.0f} ms, backward {backward:5.0f} ms: "
            f"{first[0] / (forward + backward):4.1f}x (gradient differs by {off:.0e})",
            flush=True,
        )


if __name__ == "__main__":
    main()
