"""JavaScript and TypeScript bots: Node.js projects become zips, their dependencies environments, and node starts them.

Two languages that share everything but the compiler. Knows npm, package.json and tsc; does not know tasks, servers or
other languages. Nothing heavy is imported here, and nothing runs at import.
"""
