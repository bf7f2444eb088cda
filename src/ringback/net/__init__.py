"""The outside: the sockets, the name servers and the clock of the engine."""
