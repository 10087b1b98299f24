"""The main job told from end to end: one story, on real control planes or in the simulated world."""
