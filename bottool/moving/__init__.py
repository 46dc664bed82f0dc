"""Moving over from BotCity Maestro: what its API shows is read, and written here. Safe to repeat."""
