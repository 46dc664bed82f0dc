"""How long a Java bot of some 1,400 classes takes from start to end: bare, with our archive of classes, and quick.

    python benchmarks/java_start.py                          with the JDK that bots are started with
    BOTTOOL_JAVA=/opt/jdk-25 python benchmarks/java_start.py  with that one

Generates the classes, compiles them once, makes a jar of them, and installs it as a runner would, plain and with
``quick_start = true``; a first run of each makes the archive. Then bare ``java -jar`` with the JVM's defaults and both
of ours run in turn. All sides must print the same number, and every generated class must have come from the archive:
a JVM ignores one that does not fit without a word.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from bottool import archive
from bottool.environments import Cache, make_ready
from bottool.model import Limits, Package
from bottool.plugins import Plugins
from bottool.run import run
from bottool.settings import base_variables
from bottool_java import class_archive, jdk, plugin, running

CLASSES = 1400
MOST_PLAIN, MOST_QUICK = 0.7, 0.45
"""Of the time of bare ``java -jar``."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    java = jdk.for_building(base_variables())
    assert java.feature >= class_archive.OLDEST, f"Java {java.version} makes no archive that we use"
    with tempfile.TemporaryDirectory(prefix="bottool-bench-") as folder:
        measure(java, compiled(Path(folder), java), Path(folder), rounds)


def compiled(folder: Path, java: jdk.Installed) -> Path:
    """A folder with the class files."""
    sources, classes = folder / "sources" / "bench", folder / "classes"
    sources.mkdir(parents=True)
    for number in range(CLASSES):
        (sources / f"C{number}.java").write_text(one_class(number), encoding="utf-8")
    (sources / "Main.java").write_text(
        "package bench; public final class Main { static long count;\n"
        "public static void main(String[] arguments) throws Exception {\n"
        f' for (int i = 0; i < {CLASSES}; i++) Class.forName("bench.C" + i); System.out.println(count); }} }}',
        encoding="utf-8",
    )
    listed = folder / "sources.txt"
    listed.write_text("\n".join(path.as_posix() for path in sorted(sources.iterdir())), encoding="utf-8")
    subprocess.run([java.home / "bin" / "javac", "-d", classes, f"@{listed}"], check=True)
    return classes


def one_class(number: int) -> str:
    methods = "".join(
        f"int m{each}(int x) {{ return x * {each + number} + known.size()"
        f" + (x > {each} ? names[{each % 5}].length() : {number}); }}\n"
        for each in range(12)
    )
    names = ", ".join(f'"{letter}{number}"' for letter in "abcde")
    return (
        f"package bench; import java.util.*; final class C{number} implements Comparable<C{number}> {{\n"
        f"static final Map<String, Integer> known = new HashMap<>(); static final String[] names = {{{names}}};\n"
        "static { for (String each : names) known.put(each, each.length());"
        f" Main.count += new C{number}().m3({number}); }}\n"
        f"{methods}public int compareTo(C{number} other) {{ return 0; }} }}\n"
    )


def measure(java: jdk.Installed, classes: Path, folder: Path, rounds: int) -> None:
    sides: dict[str, Sequence[str]] = {"bare java -jar": ()}
    for name, told in (("archive", {}), ("archive+quick_start", {"quick_start": True})):
        jar = packed(folder / f"{name}.jar", classes, told)
        sides["bare java -jar"] = (str(java.java), "-jar", str(jar))
        sides[name] = ready(jar, folder / f"installed-{name}")
    expected = printed(sides["bare java -jar"])
    for name in list(sides)[1:]:
        assert printed(sides[name]) == expected, f"{name} prints something else"
        found = from_archive(sides[name], folder / "classes.log")
        assert found == CLASSES, f"{name}: {found} classes of {CLASSES} came from the archive"
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            began = time.perf_counter()
            assert printed(command) == expected
            times[name].append(time.perf_counter() - began)
    report(java, times)


def packed(jar: Path, classes: Path, told: dict[str, bool]) -> Path:
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nMain-Class: bench.Main\r\n\r\n")
        file.writestr(archive.MANIFEST_IN_JAR, json.dumps({"java": told}))
        for path in sorted(classes.rglob("*.class")):
            file.write(path, path.relative_to(classes).as_posix())
    return jar


def ready(jar: Path, place: Path) -> Sequence[str]:
    """The command of an installation whose archive is made."""
    plugins = Plugins()
    plugins.add("java", plugin)
    package = Package(
        path=jar,
        bot_id="bench",
        version="1.0.0",
        language="java",
        sha256=archive.sha256_of(jar),
        size_bytes=jar.stat().st_size,
    )
    installation = make_ready(plugins, package, Cache(place), place / "work", lambda _note: None)
    outcome = run(plugins, installation, task=None, limits=Limits(), output=lambda _stream, _data: None)
    assert outcome.succeeded, outcome
    command = running.command(installation).arguments
    assert any("SharedArchiveFile" in each for each in command), "no archive was made"
    return command


def printed(command: Sequence[str]) -> bytes:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True).stdout


def from_archive(command: Sequence[str], log: Path) -> int:
    """How many of the generated classes the JVM took from the archive."""
    program, *rest = command
    printed((program, f"-Xlog:class+load:file={log}", *rest))
    lines = log.read_text(encoding="utf-8").splitlines()
    return sum(1 for line in lines if " bench.C" in line and "source: shared objects file" in line)


def report(java: jdk.Installed, times: dict[str, list[float]]) -> None:
    bare, plain, quick = times.values()
    rounds = len(bare)
    print(f"Java {java.version}, {CLASSES:,} classes initialised, {rounds} rounds in turn; milliseconds (from, to)")
    for name, taken in times.items():
        ratio = statistics.median(own / other for own, other in zip(taken, bare, strict=True))
        low, middle, high = (1000 * each for each in (min(taken), statistics.median(taken), max(taken)))
        print(f"  {name:20} {middle:7.0f} ({low:.0f}, {high:.0f})   {ratio:.2f} of bare")
    ratios = [statistics.median(own / other for own, other in zip(each, bare, strict=True)) for each in (plain, quick)]
    assert ratios[0] <= MOST_PLAIN, f"with its archive it should take {MOST_PLAIN} of bare"
    assert ratios[1] <= MOST_QUICK, f"with quick_start it should take {MOST_QUICK} of bare"


if __name__ == "__main__":
    main()
