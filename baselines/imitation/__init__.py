"""Learning from demonstrations: behaviour cloning and DAgger (paper Fig. 4c), for any learner.

`demonstrations` is the format, `collect` plays experts, `clone` trains on them. Nothing is imported
here, so that what needs no transformers does not load it.
"""
