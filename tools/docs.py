"""Write what can be generated of the documents: ``docs/cli.md`` from the commands, the hooks in ``docs/plugins.md``.

``--check`` changes nothing and fails when a document is not up to date.
"""

import inspect
import sys
from collections.abc import Iterator

import click
from workshop import ROOT, say

from bottool import hookspecs
from bottool.cli.main import make_root
from bottool.cli.state import State

CLI = ROOT / "docs" / "cli.md"
PLUGINS = ROOT / "docs" / "plugins.md"
BEGIN, END = "<!-- hooks: written by tools/docs.py -->", "<!-- end of the hooks -->"
CLI_HEAD = """# The command line

Written by `python3 dev.py docs` from the commands themselves.

Settings count in this order: a flag, then `BOTTOOL_SERVER`, `BOTTOOL_LOGIN`, `BOTTOOL_KEY`, then what `bottool login`
kept. Keys and passwords are given by prompt, by file or on stdin (`-`), never as a plain argument. Data go to stdout,
everything else to stderr; with `--json` errors are JSON as well:
`{"error": {"code": …, "message": …, "hint": …, "details": …}}`.

| exit status | meaning |
| --- | --- |
| 0 | well |
| 1 | failed |
| 2 | the command line makes no sense, or the server refuses what it says |
| 3 | a project, a package or a setting is wrong, or a program is missing |
| 4 | not signed in, or not allowed |
| 5 | not found |
| 6 | exists already, or the state does not allow it |
| 7 | the server is not reachable |
| 8 | it took too long |
| 9 | a task that was waited for ended without success |
| 130 | Ctrl-C |

`bottool run` exits with the bot's own status; a bot that died of signal N gives 128 + N.
"""


def main(arguments: list[str]) -> int:
    wanted = {CLI: cli_page(), PLUGINS: with_hooks(PLUGINS.read_text("utf-8") if PLUGINS.exists() else PLUGINS_HEAD)}
    stale = [page for page, text in wanted.items() if not page.exists() or page.read_text("utf-8") != text]
    for page in stale:
        if "--check" in arguments:
            say(f"{page.relative_to(ROOT)} is not up to date; run: python3 dev.py docs")
        else:
            page.write_text(wanted[page], encoding="utf-8")
            say(f"wrote {page.relative_to(ROOT)}")
    return 1 if stale and "--check" in arguments else 0


def cli_page() -> str:
    root = make_root()
    context = click.Context(root, info_name="bottool", obj=State(), terminal_width=88, max_content_width=88)
    parts = [CLI_HEAD]
    for path, command, inner in commands(root, context):
        heading = "##" if path.count(" ") == 1 else "###"
        parts.append(f"{heading} {path}\n\n```text\n{command.get_help(inner).rstrip()}\n```\n")
    return "\n".join(parts)


def commands(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Every command below a group with its path, in the order of ``--help``."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        inner = click.Context(
            command,
            info_name=name,
            parent=context,
            terminal_width=88,
            max_content_width=88,
            help_option_names=["-h", "--help"],
        )
        yield inner.command_path, command, inner
        if isinstance(command, click.Group):
            yield from commands(command, inner)


PLUGINS_HEAD = f"""# Plugins

A plugin is a distribution with an entry point in the group `bottool`, which names a module with hook implementations.
`plugins/command` is the smallest of ours: copy it, rename it, and fill in the methods of `bottool.language.Language`.
Ours have nothing that a stranger's could not have.

```toml
[project]
dependencies = ["bottool>=0.1,<0.2"]

[project.entry-points.bottool]
ruby = "bottool_ruby.plugin"
```

A plugin that breaks its contract is left out with everything it brings; `bottool plugins` says why, and the rest works.

## Hooks

{BEGIN}
{END}
"""


def with_hooks(page: str) -> str:
    """The page with the part between the marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest:
        raise SystemExit(f"{PLUGINS} has no line '{BEGIN}'")
    return f"{before}{BEGIN}\n\n{''.join(hooks())}{END}{after}"


def hooks() -> Iterator[str]:
    """A section per hook, from its docstring, which is the contract."""
    for name, function in vars(hookspecs).items():
        if name.startswith("bottool_"):
            text = inspect.getdoc(function) or ""
            said, _, example = text.partition(" Example::")
            summary, _, rest = said.partition("\n\n")
            lines = "\n".join(items(rest))
            code = inspect.cleandoc("\n" + example) if example else ""
            yield f"### `{name}{inspect.signature(function)}`\n\n{summary}\n\n{lines}\n"
            yield f"\n```python\n{code}\n```\n\n" if code else "\n"


def items(text: str) -> Iterator[str]:
    """The lines of a docstring's second part, each fact on one."""
    for line in text.splitlines():
        fact, colon, meaning = line.partition(": ")
        yield f"* **{fact}**: {meaning}" if colon else f"* {line}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
