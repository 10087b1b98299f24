"""How a cluster comes to hold its slice: what differs, in what order, what may go, and how each object is.

Nothing here asks the cluster: requests are values, answers come in as values.
"""
