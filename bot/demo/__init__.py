"""The demo company: real flights, models that are really trained on them, and the platform that serves them.

It stands in for a user's own world, so that the whole story can be seen on one machine. The bot treats it like any other
customer: over HTTP and through its data, never by importing from here.
"""
