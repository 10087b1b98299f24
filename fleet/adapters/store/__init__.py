"""The hub's memory on disk: the book, which is never lost, and the memo, which may be."""
