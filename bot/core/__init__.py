"""The nouns: frozen dataclasses and the rules that belong to them.

This room knows nobody, so that every other room may know it: the standard library and numpy's types only. What a thing *is*
stands here; what is *done* with it stands in `bot.flow`, and how it is done for real in the workshop rooms.
"""
