"""What we conclude: pure functions; time, chance and tables are arguments."""
