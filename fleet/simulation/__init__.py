"""The world in memory: the same ports as the adapters, on virtual time, with faults at every call.

Tests and the simulated demo run the real shells on it. `world.World` puts it together; the rest are its parts.
"""
