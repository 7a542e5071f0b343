"""The numerics: profiles, distances, tests. Arrays in, numbers out; SciPy and scikit-learn are the oracles in the tests.

Of the house it knows one noun, the profile, because that is what it counts into and measures from.
"""
