"""The words that everything else speaks: no behaviour beyond what a word means.

Nothing here waits, reads or writes; nothing here imports another folder of fleet.
"""
