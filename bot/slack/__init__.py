"""Slack: the surface. What people see is delivered from the outbox; what people do becomes a call of one verb of the story.

Two halves that share nothing but the client: `delivery` empties the outbox, whatever Slack's mood; `surface` turns clicks, commands
and submitted forms into verbs. Listeners only check, write and ack; nothing slow ever runs in one.
"""
