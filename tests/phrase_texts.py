"""Two phrases as phrases.toml has them: one with word lists, one with all that narrows it."""

GONE = """
[words]
box = ["user|mailbox", "account"]
old_box = ["old <box>"]

[[phrase]]
id = "gone"
meaning = "unknown_user"
match = '''
<box> unknown
<old_box> removed
'''
source = "our lab"
date = "2026-11"
"""
NARROW = """
[[phrase]]
id = "narrow"
meaning = "greylisted"
match = "later"
source = "our lab"
date = "2026-11-21"
level = "hint"
stages = ["rcpt", "none"]
codes = ["450", "451"]
enhanced = ["4.7.1"]
provider = "acme"
lang = "en"
weak = true
of_sender = true
"""
