"""What objects say of each other, over all that one cluster gets from a revision.

What an object names may live in the cluster outside git, so what is missing here warns and does not refuse.
"""
