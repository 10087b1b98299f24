"""Git: a mirror that the hub reads, a working tree that `fleet check` reads, and what `fleet promote` writes."""
