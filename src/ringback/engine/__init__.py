"""Who does what, and when: asynchronous, but without sockets and SQL."""
