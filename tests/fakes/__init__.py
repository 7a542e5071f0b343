"""Hand-written stand-ins for the ports: they keep the same promises, in memory. No mocks."""
