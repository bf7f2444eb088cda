"""A small internet on loopback: for the demo, the tests, and the tests of users."""
