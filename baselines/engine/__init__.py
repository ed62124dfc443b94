"""The engine: everything that trains, plays and stores a policy, whatever the policy is.

`learner` says what a policy has to offer and holds the table of those that are known; `trainer` is
reinforcement learning by PPO. The engine imports no learner. Nothing is imported here, so that
what needs no transformers does not load it.
"""
