"""From the files of a commit to the objects of each cluster, with everything that is wrong on the way. Pure."""
