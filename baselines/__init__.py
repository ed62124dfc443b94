"""Learned reference agents. The only part that needs torch (`pip install 'langrearrange[train]'`).

It imports `langrearrange`; nothing there imports it. The learners it comes with are registered
here: one line each.
"""

from .engine.learner import LEARNERS

LEARNERS["llarp"] = "langrearrange_baselines.llarp.learner:Llarp"
LEARNERS["lstm"] = "langrearrange_baselines.lstm.learner:Lstm"
LEARNERS["gru"] = "langrearrange_baselines.gru.learner:Gru"
