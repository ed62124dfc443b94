"""PPO in one file, after CleanRL's `ppo.py`: native vector env, `state` observations, PyTorch.

python examples/ppo.py --steps 200000
"""

import argparse

import gymnasium as gym
import numpy as np
import torch
from torch import nn
from torch.distributions import Categorical

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.env.wrappers import VectorFlattenFields

GAMMA, LAMBDA, CLIP, EPOCHS, NUM_ENVS, LENGTH = 0.99, 0.95, 0.2, 4, 32, 32


def main() -> None:
    """Train and print success at every tenth update."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=200_000)
    given = parser.parse_args()
    torch.manual_seed(0)
    kwargs = {"split": "train", "observation": "state", "autoreset_mode": "SameStep"}
    envs = VectorFlattenFields(gym.make_vec("LangRearrange-v0", num_envs=NUM_ENVS, **kwargs))
    size = envs.single_observation_space.shape[0]
    body = nn.Sequential(nn.Linear(size, 256), nn.Tanh(), nn.Linear(256, 256), nn.Tanh())
    actor, critic = nn.Linear(256, 70), nn.Linear(256, 1)
    parameters = [p for part in (body, actor, critic) for p in part.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-4, eps=1e-5)

    observation, _ = envs.reset(seed=0)
    won = []
    for update in range(max(1, given.steps // (NUM_ENVS * LENGTH))):
        rows = []
        for _ in range(LENGTH):
            seen = torch.as_tensor(observation)
            with torch.no_grad():
                hidden = body(seen)
                choice = Categorical(logits=actor(hidden))
                action, value = choice.sample(), critic(hidden).squeeze(-1)
            observation, reward, terminated, truncated, info = envs.step(action.numpy())
            ended = terminated | truncated
            if ended.any():
                won += info["final_info"]["success"][ended].tolist()
            rows.append((seen, action, choice.log_prob(action), value, reward, ended))
        with torch.no_grad():
            value = critic(body(torch.as_tensor(observation))).squeeze(-1)
        advantage, last = [], torch.zeros(NUM_ENVS)
        for *_, old, reward, ended in reversed(rows):  # an episode's time limit counts as its end
            going = torch.as_tensor(~ended).float()
            error = torch.as_tensor(reward).float() + GAMMA * value * going - old
            last, value = error + GAMMA * LAMBDA * going * last, old
            advantage.insert(0, last)
        seen, action, log_prob, old = (torch.cat([row[i] for row in rows]) for i in range(4))
        advantage = torch.cat(advantage)
        target = advantage + old
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        for _ in range(EPOCHS):
            for part in torch.randperm(len(seen)).chunk(4):
                hidden = body(seen[part])
                choice = Categorical(logits=actor(hidden))
                ratio = (choice.log_prob(action[part]) - log_prob[part]).exp()
                clipped = ratio.clamp(1 - CLIP, 1 + CLIP) * advantage[part]
                gain = torch.min(ratio * advantage[part], clipped)
                miss = (critic(hidden).squeeze(-1) - target[part]).square()
                loss = -gain.mean() + 0.5 * 0.5 * miss.mean() - 0.01 * choice.entropy().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(parameters, 0.5)
                optimizer.step()
        if update % 10 == 0:
            print(f"{(update + 1) * len(seen)} steps, success {np.mean(won[-500:] or [0]):.3f}")
    print(f"trained on {len(won)} episodes")


if __name__ == "__main__":
    main()
