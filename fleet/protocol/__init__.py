"""What hub and agent say to each other, written down and signed; and every check of who said it. No I/O."""
