"""Schema: every manifest against the very kinds that its cluster serves. A kind without schema is never valid."""
