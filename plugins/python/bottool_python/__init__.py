"""Python bots, as a language of bottool.

``language`` is the contract; each of its members is told in modules of their own, in this order: ``tree`` (a bot's
files, in a folder or an archive), ``layout`` (where a bot starts), ``poetry``, ``conda`` and ``metadata`` (what its own
files say of it), ``requirements``, ``foreign_locks`` and ``locks``, ``syntax``, ``habits``, ``imports``, ``checks``
and ``shapes`` (what would go wrong, and what is no bot), ``packing``, ``files``, ``tool``
(``uv``), ``resolving``, ``locking``,
``interpreters``, ``bytecode``, ``environment``, ``commands``. Each imports only those named before it.
Nothing of a bot is ever imported or run here.
"""
