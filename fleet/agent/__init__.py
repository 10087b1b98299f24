"""The agent's shell: pulls its own slice, verifies, stores, applies, keeps, reports. It decides nothing."""
