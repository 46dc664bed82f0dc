"""Messages: e-mail in the name of a bot."""
