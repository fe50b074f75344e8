"""Compiled passes over arrays, layers made of them, and their memory.

Nothing here knows of models, objectives or estimators.
"""
