"""The gate: from a candidate and the facts about it to open, waiting or refused. Pure; time is an argument."""
