"""Learned reference agents. The only part that needs torch (`pip install 'langrearrange[train]'`).

It imports `langrearrange`; nothing there imports it.
"""
