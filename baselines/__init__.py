"""Learned reference agents. The only part that needs torch (`pip install 'langrearrange[train]'`).

It imports `langrearrange`; nothing there imports it. The learners it comes with are registered
here: one line each.
"""

from .engine.learner import register

register("llarp", "langrearrange_baselines.llarp.learner:Llarp")
register("lstm", "langrearrange_baselines.lstm.learner:Lstm")
