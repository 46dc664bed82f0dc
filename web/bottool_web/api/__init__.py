"""/rest/v1, our own interface: a table of routes over the actions, and its description as OpenAPI."""
