"""Adapters to evaluation and training frameworks: one file and one extra each, imported by nobody.

Not for agents (`agents`) and not for scores (`leaderboard`), which the adapters use.
"""
