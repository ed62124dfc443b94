"""LLaRP: a frozen language model with a trained observation module and action module.

Only the policy and what it remembers; `engine` trains it. Nothing is imported here, so that what
needs no transformers does not load it.
"""
