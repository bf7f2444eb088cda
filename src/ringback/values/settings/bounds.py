"""What the sections have in common: spans of time, and how long a list may be.

Not here: bounds of a single setting, which stand with it.
"""

HOUR_S, DAY_S = 3_600, 86_400
# A list in a file that a person keeps; longer ones belong into the DNS or a database.
MAX_LIST_ITEMS = 10_000
MAX_SERVERS = 64  # our own listeners, and each kind of server that we ask
