"""One module for each command of `fleet`, or for each group of them."""
