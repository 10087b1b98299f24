"""What a check found, in the formats of the places where people look: one pure writer a format, each text in parts."""
