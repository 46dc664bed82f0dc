"""Python bots, as a language of bottool.

``language`` is the contract; each of its members is told in a module of its own: ``tree`` (a bot's files, in a folder
or an archive), ``layout`` (where a bot starts), ``metadata`` (what its own files say of it), ``requirements``,
``imports`` and ``checks`` (what would go wrong), ``packing``, ``environment`` and ``tool`` (``uv``). Each imports only
those named before it. Nothing of a bot is ever imported or run here.
"""
