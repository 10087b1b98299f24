"""What agents and people ask of a running hub, question by question."""
