"""Reads ``pom.xml``: the few things that bottool wants to know before Maven runs.

Refuses document types, so that no entity is ever expanded or fetched. Does not resolve parents, profiles or imports:
what it cannot know is empty, and Maven has the last word.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from bottool.errors import ProjectError
from bottool_java import marks

FILE_NAME = marks.POM
FAT_JAR_PLUGINS = frozenset(
    {
        "maven-assembly-plugin",
        "maven-shade-plugin",
        "spring-boot-maven-plugin",
        "onejar-maven-plugin",
        "quarkus-maven-plugin",
        "capsule-maven-plugin",
        "maven-bundle-plugin",
    }
)
"""Maven plugins that can put a bot's dependencies into its jar."""
_SIZE_LIMIT_BYTES = 5_000_000
_REFERENCE = re.compile(r"\$\{([^${}]+)\}")
_ROUNDS = 10
_LENGTH_LIMIT = 1000
_MAIN_CLASS_PROPERTIES = ("main-class", "mainClass", "main.class", "start-class", "exec.mainClass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A dependency as the pom names it, references resolved; ``scope`` is empty for compile."""

    group: str
    name: str
    version: str = ""
    scope: str = ""

    @property
    def needed_to_run(self) -> bool:
        return self.scope not in {"test", "provided", "import", "system"}

    def __str__(self) -> str:
        return ":".join(part for part in (self.group, self.name, self.version) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pom:
    """What a pom says. ``repositories`` are the addresses it names, ``plugins`` the names of its Maven plugins."""

    artifact: str = ""
    version: str = ""
    packaging: str = "jar"
    main_class: str = ""
    has_parent: bool = False
    release: int = 0
    """The Java release that it compiles for; 0 when it does not say."""
    modules: tuple[str, ...] = ()
    plugins: frozenset[str] = frozenset()
    dependencies: tuple[Artifact, ...] = ()
    repositories: tuple[str, ...] = ()
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def packs_dependencies(self) -> bool:
        return bool(self.plugins & FAT_JAR_PLUGINS)


def read(folder: Path) -> Pom:
    """The pom of ``folder``.

    :raises ProjectError: when it cannot be read; the message starts with the file's name and line, and
        ``details["code"]`` is ``bad_pom`` or ``pom_doctype``.
    """
    path = folder / FILE_NAME
    try:
        if path.stat().st_size > _SIZE_LIMIT_BYTES:
            raise _broken("is larger than 5 MB", "a pom.xml describes a build; keep data elsewhere")
        content = path.read_bytes()
    except OSError as error:
        raise _broken(f"cannot be read: {error.strerror}") from error
    return understood(content)


def understood(content: bytes) -> Pom:
    """What the bytes of a pom say.

    :raises ProjectError: as ``read``.
    """
    return _understood(_parse(content))


def _broken(message: str, hint: str = "", *, line: int | None = None, code: str = "bad_pom") -> ProjectError:
    where = f"{FILE_NAME}:{line}: it" if line else FILE_NAME
    return ProjectError(f"{where} {message}", hint, problem=code, line=line)


def _parse(content: bytes) -> Element:
    """The root element. Prefixes of names are dropped: a pom has one vocabulary."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise _broken(
            "has a document type, which could pull in other files",
            "delete the <!DOCTYPE …> lines; Maven needs none",
            line=parser.CurrentLineNumber,
            code="pom_doctype",
        )

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, attributes: builder.start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: builder.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise _broken(f"is no XML: {expat.ErrorString(error.code)}", line=error.lineno) from error
    except (LookupError, ValueError) as error:
        raise _broken("is in an encoding that cannot be read", "save it as UTF-8") from error
    root = builder.close()
    if root.tag != "project":
        raise _broken(f"holds <{root.tag}>, not <project>", "see https://maven.apache.org/pom.html")
    return root


def _text(element: Element | None, path: str) -> str:
    found = None if element is None else element.find(path)
    return "" if found is None else (found.text or "").strip()


def _understood(root: Element) -> Pom:
    properties = _properties(root)

    def said(element: Element | None, path: str) -> str:
        return _resolved(_text(element, path), properties)

    plugins = list(root.iterfind("build/plugins/plugin"))
    return Pom(
        artifact=properties["project.artifactId"],
        version=_resolved(properties["project.version"], properties),
        packaging=said(root, "packaging") or "jar",
        # What is only managed makes no jar, but configures the plugin that does.
        main_class=_main_class([*plugins, *root.iterfind("build/pluginManagement/plugins/plugin")], properties),
        has_parent=root.find("parent") is not None,
        release=_release(plugins, properties),
        modules=tuple((module.text or "").strip() for module in root.iterfind("modules/module")),
        plugins=frozenset(said(plugin, "artifactId") for plugin in plugins),
        dependencies=tuple(_dependencies(root, properties)),
        repositories=tuple(said(each, "url") for each in root.iterfind("repositories/repository")),
        properties=properties,
    )


def _properties(root: Element) -> dict[str, str]:
    found = {child.tag: (child.text or "").strip() for child in root.iterfind("properties/*")}
    for name in ("artifactId", "groupId", "version"):
        value = _text(root, name) or ("" if name == "artifactId" else _text(root, f"parent/{name}"))
        found[f"project.{name}"] = found[f"pom.{name}"] = value
    return found


def _resolved(text: str, properties: Mapping[str, str]) -> str:
    """The text with its references filled in; empty when one is unknown or leads in a circle."""
    for _ in range(_ROUNDS):
        if not _REFERENCE.search(text):
            return text
        if any(name not in properties for name in _REFERENCE.findall(text)):
            return ""
        text = _REFERENCE.sub(lambda match: properties[match[1]], text)
        if len(text) > _LENGTH_LIMIT:
            return ""
    return ""


def _main_class(plugins: list[Element], properties: Mapping[str, str]) -> str:
    """Trimmed: poms in the wild have line ends around the name."""
    written = [(each.text or "").strip() for plugin in plugins for each in plugin.iter("mainClass")]
    by_property = [properties[name] for name in _MAIN_CLASS_PROPERTIES if name in properties]
    return next((name for each in (*written, *by_property) if (name := _resolved(each, properties))), "")


def _release(plugins: list[Element], properties: Mapping[str, str]) -> int:
    """A plugin's own configuration counts before the properties, and ``release`` before ``target``, as in Maven."""
    compilers = [each for each in plugins if _text(each, "artifactId") == "maven-compiler-plugin"]
    for name in ("release", "target", "source"):
        for value in (
            *(_text(each, f"configuration/{name}") for each in compilers),
            properties.get(f"maven.compiler.{name}", ""),
            *(properties.get(each, "") for each in ("java.version", "jdk.version") if name == "release"),
        ):
            number = _resolved(value, properties).removeprefix("1.")
            if number.isdecimal():
                return int(number[:4])
    return 0


def _dependencies(root: Element, properties: Mapping[str, str]) -> Iterator[Artifact]:
    for each in root.iterfind("dependencies/dependency"):
        group, name, version, scope = (
            _resolved(_text(each, key), properties) for key in ("groupId", "artifactId", "version", "scope")
        )
        yield Artifact(group=group, name=name, version=version, scope="" if scope == "compile" else scope)
