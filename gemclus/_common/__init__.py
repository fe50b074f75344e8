"""Checks, warnings, shared docstrings, thread pools and pickles of all rooms."""
