"""Platforms: one file each, a `ConnectorKind` that `discover` finds.

A connector validates before it asks, and never takes an "OK" for the deed.
"""
