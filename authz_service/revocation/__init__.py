"""Revocation: callers whose credentials hold, and who must not go on all the same.

    model     whom a revocation is of, who made it, why, and until when
    records   how it is written in Valkey, and read back strictly
    listing   all of them, and whether one is of a given caller: a few look-ups in memory
    showing   how an operator reads them
    guard     the list in force in this process, how old it is, and what holds when it is too old
    store     I/O: the list in Valkey, changed and read by scripts
    follower  I/O: keeps the process's list the same as Valkey's, change by change

No check waits for Valkey: what is asked is the list in memory, which each change reaches by itself.
"""
