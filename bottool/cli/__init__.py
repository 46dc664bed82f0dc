"""The command line: a file per command, which parses, makes one call and presents the answer."""
