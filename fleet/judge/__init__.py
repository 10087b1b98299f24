"""What git alone tells of a commit: read, rendered, judged by schemas and policies, and how it came about.

The hub asks it of every tip, a person's clone of whatever is not pushed yet. No book, no cluster, no clock of its own.
"""
