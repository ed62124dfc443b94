"""Chat models as agents, without training (paper C.4). Needs neither torch nor a model here.

`run` is the command, `agent` plays, `endpoint` and `local` ask a model, `prompts` and `answers`
say it in words.
"""
