"""The server: pages, three HTTP interfaces, one set of actions, one store. Imports core and nothing else of bottool."""
