"""What the shells wait for, as Protocols in the core's own words.

Adapters and the simulated world implement them; only the command line wires them. Each raises
`errors.UnreachableError` when the other side cannot be asked, and never answers "absent" instead.
"""
