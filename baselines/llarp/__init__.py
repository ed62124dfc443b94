"""LLaRP: a frozen language model with trained eyes and hands, and the engine that trains it.

`python -m langrearrange_baselines.llarp.train` and `... .evaluate` are its commands; docs/train.md
shows them. Nothing is imported here, so that what needs no transformers does not load it.
"""
