"""Renderers: the real programs, kept away from everything but the files they are given."""
