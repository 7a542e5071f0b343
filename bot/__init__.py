"""Keeps machine-learning models in production healthy, from Slack."""
