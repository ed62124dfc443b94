"""A chat model behind any OpenAI-compatible endpoint, in plain Python: no framework.

    export OPENAI_API_KEY=...
    python examples/chat_endpoint.py --base-url https://api.openai.com/v1 --model gpt-4o-mini

For scored runs with retries, budgets and transcripts see `baselines/zero_shot/`.
"""

import argparse
import json
import os
import urllib.request

import gymnasium as gym

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.errors import ActionError
from langrearrange.world import parse_action

ENDING = "\n\nThink briefly, then end your reply with one line: Action: <the action>"


def ask(base_url: str, model: str, messages: list[dict]) -> str:
    """Return the model's reply to a conversation."""
    request = urllib.request.Request(
        f"{base_url.rstrip('/')}/chat/completions",
        json.dumps({"model": model, "messages": messages}).encode(),
        {
            "Content-Type": "application/json",
            "Authorization": f"Bearer {os.environ.get('OPENAI_API_KEY', '')}",
        },
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.load(response)["choices"][0]["message"]["content"]


def play(env: gym.Env, base_url: str, model: str) -> bool:
    """Play the next episode; an answer that is not an action ends it without success."""
    observation, info = env.reset()
    messages = [{"role": "user", "content": observation["text"] + ENDING}]
    ended = False
    while not ended:
        reply = ask(base_url, model, messages)
        try:
            action = parse_action(reply.rpartition("Action:")[2])
        except ActionError as error:
            print(error)
            return False
        observation, _, terminated, truncated, info = env.step(action)
        messages += [
            {"role": "assistant", "content": reply},
            {"role": "user", "content": observation["text"]},
        ]
        print(observation["text"].splitlines()[0])
        ended = terminated or truncated
    return info["success"]


def main() -> None:
    """Play some episodes and print how many succeeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base-url", default="http://127.0.0.1:8000/v1")
    parser.add_argument("--model", required=True)
    parser.add_argument("--split", default="validation")
    parser.add_argument("--episodes", type=int, default=3)
    given = parser.parse_args()
    env = gym.make("LangRearrange-v0", split=given.split, observation="text")
    won = [play(env, given.base_url, given.model) for _ in range(given.episodes)]
    print(f"{sum(won)} of {len(won)} episodes succeeded")


if __name__ == "__main__":
    main()
