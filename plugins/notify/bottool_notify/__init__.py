"""Notifications to chat services: Slack, Teams, Telegram, Discord, web hooks and many more, through apprise.

``plugin`` announces the hook; ``service`` sends. It is the example of a plugin that implements ``bottool_notify``.
"""
