"""Learning from what others did: behaviour cloning and DAgger (paper Fig. 4c).

`demonstrations` is the format, `collect` plays experts, `clone` trains any policy of `llarp` or
`lstm` on them. Nothing is imported here, so that what needs no transformers does not load it.
"""
