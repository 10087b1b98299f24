"""The audit trail: records as canonical data in a hash chain, and the questions people ask of it."""
