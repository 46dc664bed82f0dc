"""What this machine can build and run: every language's programs, asked for at the same time."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bottool.errors import BottoolError
from bottool.language import Language
from bottool.model import Tool
from bottool.plugins import Plugins, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Of one language, on this machine. ``problem`` says why its plugin could not tell."""

    name: str
    title: str
    technologies: tuple[str, ...]
    can_build: bool
    can_run: bool
    tools: tuple[Tool, ...] = ()
    problem: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the programs that are not there."""
        return tuple(dict.fromkeys(tool.name for tool in self.tools if not tool.found)) or (
            (self.problem,) if self.problem else ()
        )

    @property
    def hints(self) -> tuple[str, ...]:
        """What to type or install for them."""
        return tuple(dict.fromkeys(tool.hint for tool in self.tools if not tool.found and tool.hint))


def of(plugins: Plugins) -> list[Ability]:
    """The abilities of all languages, in the order of their names."""
    languages = list(plugins.languages.values())
    if not languages:
        return []
    with ThreadPoolExecutor(max_workers=len(languages)) as pool:
        return list(pool.map(_ability, languages))


def _ability(language: Language) -> Ability:
    try:
        tools = tuple(language.toolchain())
    except Exception as error:  # noqa: BLE001 - a plugin's fault is told of, and the other languages go on
        problem = str(error) if isinstance(error, BottoolError) else one_line(error)
        tools = ()
    else:
        problem = ""
    return Ability(
        name=language.name,
        title=language.title,
        technologies=language.technologies,
        can_build=not problem and all(tool.found for tool in tools if "build" in tool.needed_for),
        can_run=not problem and all(tool.found for tool in tools if "run" in tool.needed_for),
        tools=tools,
        problem=problem,
    )
