"""Asks a question that nobody will answer."""
input("your name? ")
