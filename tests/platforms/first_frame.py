"""Draw the first frame of an installed package; print its hash and the CPU time from the import."""

import hashlib
import time

began = time.process_time()
import gymnasium as gym  # noqa: E402

import langrearrange  # noqa: E402

env = gym.make("LangRearrange-v0", split="new_scenes")
observation, _ = env.reset(seed=0)
digest = hashlib.sha256(observation["rgb"].tobytes()).hexdigest()
seconds = time.process_time() - began
print(f"langrearrange {langrearrange.__version__}: frame {digest} in {seconds:.2f} CPU-s")
env.close()
