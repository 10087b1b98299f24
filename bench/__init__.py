"""Measurements, each as a ratio against a peer or a limit on the same work in the same run.

`make bench` runs all; `python -m bench applying steady checking` some. Results: bench/RESULTS.md.
"""
