"""The hub's shell: fetches, asks the pure core, records, answers agents. It decides nothing itself."""
