"""The command line: reads flags, files and the environment, wires the parts together, prints."""
