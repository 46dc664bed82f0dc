"""Java bots: Maven projects become runnable jars, and jars are started with a Java that is new enough.

Knows Maven, jars and Java installations; does not know tasks, servers or other languages. Nothing heavy is imported
here, and nothing runs at import.
"""
