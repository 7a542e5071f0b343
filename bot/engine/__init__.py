"""Durable execution: the one room that imports dbos.

A workflow body is a plain function over a `Journal`; this room remembers its steps in the database of the domain's rows, so that a
decision and the start of its run commit together. What the library does not do stands here too: who is alive (`lease`), who takes
over the work of the dead (`reaper`), and what is forgotten (`pruning`).
"""
