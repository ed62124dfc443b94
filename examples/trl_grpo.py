"""GRPO of TRL on whole episodes: a language model acts in words, its own tokens are trained.

pip install 'langrearrange[trl]'
python examples/trl_grpo.py --model FOLDER_OR_NAME --updates 100
"""

import argparse

import gymnasium as gym
import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.errors import ActionError
from langrearrange.world import parse_action

ENV = gym.make("LangRearrange-v0", split="train", observation="text", variants=0)
HAS_GPU, TURNS, ENDING = torch.cuda.is_available(), 8, "\nReply with one action and nothing else."
SAMPLING = {"max_new_tokens": 12, "do_sample": True, "top_k": 0}
SAMPLING |= {"output_logits": True, "return_dict_in_generate": True}
SIZES = {"num_generations": 4, "per_device_train_batch_size": 4, "logging_steps": 1}


@torch.no_grad()
def play(text: str, episode_id: str, tokenizer, model) -> dict:
    """Play an episode by the model's replies; an answer that is not an action ends it."""
    ENV.reset(options={"episode_id": episode_id})
    messages = [{"role": "user", "content": text}]
    encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=True)
    prompt, completion, mask, logprobs, total = list(encoded["input_ids"]), [], [], [], 0.0
    for _ in range(TURNS):
        given = torch.tensor([prompt + completion], device=model.device)
        out = model.generate(given, attention_mask=torch.ones_like(given), **SAMPLING)
        new = out.sequences[0, given.shape[1] :]
        chosen = torch.cat(out.logits).float().log_softmax(-1).gather(1, new[:, None])
        completion, mask = completion + new.tolist(), mask + [1] * len(new)
        logprobs += chosen.squeeze(1).tolist()
        try:
            action = parse_action(tokenizer.decode(new, skip_special_tokens=True))
        except ActionError:
            break
        observation, reward, terminated, truncated, _ = ENV.step(action)
        total += reward
        if terminated or truncated:
            break
        told = tokenizer(f"\n{observation['text']}\n", add_special_tokens=False)["input_ids"]
        completion, mask = completion + told, mask + [0] * len(told)
        logprobs += [0.0] * len(told)
    ids = {"prompt_ids": prompt, "completion_ids": completion, "logprobs": logprobs}
    return {**ids, "env_mask": mask, "total": total}  # 0: no loss on the env's texts


def summed(total: list[float], **_: object) -> list[float]:
    """Return the reward of each rollout: the sum of the env's rewards."""
    return total


def main() -> None:
    """Train; TRL writes checkpoints to `--out`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="a Hugging Face model with a chat template")
    parser.add_argument("--updates", type=int, default=100)
    parser.add_argument("--out", default="out/grpo")
    given = parser.parse_args()
    resets = [ENV.reset(seed=seed) for seed in range(given.updates)]
    ids = {observation["text"] + ENDING: info["episode_id"] for observation, info in resets}
    data = Dataset.from_list([{"prompt": [{"role": "user", "content": text}]} for text in ids])

    def rollout(batch: list, trainer: GRPOTrainer) -> dict[str, list]:
        tools = trainer.processing_class, trainer.accelerator.unwrap_model(trainer.model)
        played = [play(m[0]["content"], ids[m[0]["content"]], *tools) for m in batch]
        return {name: [row[name] for row in played] for name in played[0]}

    config = GRPOConfig(given.out, max_steps=given.updates, bf16=HAS_GPU, **SIZES)
    GRPOTrainer(given.model, summed, config, data, rollout_func=rollout).train()


if __name__ == "__main__":
    main()
