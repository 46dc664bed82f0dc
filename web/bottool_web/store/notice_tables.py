"""Messages, who is told of what, and what waits to be delivered."""
