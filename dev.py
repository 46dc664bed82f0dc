"""The workshop's door: makes ``.venv`` on a bare machine, then hands over to the tool that was asked for.

    python3 dev.py demo       install, then run one bot per language on this machine
    python3 dev.py check      formatter, linter, types, architecture
    python3 dev.py test       the whole test suite; ``--long`` for the full rounds
    python3 dev.py wheels     the short round against built wheels
    python3 dev.py chaos      kills and faults without end; what was promised must hold
    python3 dev.py NAME       any other tool: ``tools/NAME.py``

Standard library only, and it runs on Windows too. It knows how to install; it knows nothing of what the tools do.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PROGRAMS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = PROGRAMS / ("python.exe" if os.name == "nt" else "python")
MEMBERS = [ROOT, *sorted((ROOT / "plugins").glob("*")), ROOT / "web", ROOT / "runner"]


def main(arguments: list[str]) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever has an older one shall read this, not a traceback
        return complain(f"this is Python {sys.version.split()[0]}, and bottool needs 3.11 or newer")
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(f"{__doc__}\n")
        return 0 if arguments else 2
    name, *rest = arguments
    tools = {"demo", *(tool.stem for tool in (ROOT / "tools").glob("*.py"))} - {"workshop", "programs"}
    if name not in tools:
        return complain(f"there is no tool '{name}'; there are: {', '.join(sorted(tools))}")
    try:
        install(purposes(name))
    except subprocess.CalledProcessError as failure:
        return complain(f"'{' '.join(map(str, failure.cmd[:6]))} …' ended with status {failure.returncode}")
    tool = ["-m", "bottool", "demo"] if name == "demo" else [str(ROOT / "tools" / f"{name}.py")]
    return hand_over([str(PYTHON), *tool, *rest])


def say(message: str) -> None:
    sys.stderr.write(f"dev.py: {message}\n")
    sys.stderr.flush()


def complain(message: str) -> int:
    say(message)
    return 1


def purposes(name: str) -> list[str]:
    """Which files of ``requirements/`` the tool needs. A machine without Node.js gets it as a Python wheel."""
    wanted = ["runtime", "build"] if name == "demo" else ["dev"]
    return wanted if shutil.which("node") and shutil.which("npm") else [*wanted, "node"]


def install(wanted: list[str]) -> None:
    """Bring ``.venv`` to what ``wanted`` asks for; costs a few milliseconds when it is there already."""
    missing = [purpose for purpose in wanted if not is_installed(purpose)]
    if not missing:
        return
    install_uv()
    say(f"installing {', '.join(missing)} into {VENV.name}")
    uv = [str(PYTHON), "-m", "uv", "pip", "install", "--quiet", "--python", str(PYTHON)]
    files = [part for purpose in missing for part in ("-r", str(requirements(purpose)))]
    subprocess.run([*uv, "--require-hashes", *files], check=True, cwd=ROOT)
    editable = [part for member in MEMBERS if is_member(member) for part in ("-e", str(member))]
    subprocess.run([*uv, "--no-deps", "--no-build-isolation", *editable], check=True, cwd=ROOT)
    for purpose in missing:
        stamp(purpose).write_text(fingerprint(purpose), encoding="ascii")


def is_installed(purpose: str) -> bool:
    if not PYTHON.exists():
        return False
    whole = ["dev"] if purpose in {"runtime", "build"} else []
    return any(read(stamp(file)) == fingerprint(file) for file in [purpose, *whole])


def install_uv() -> None:
    """An environment that holds uv, taken by the hash that the requirements name. May be killed half-way."""
    block = uv_block()
    if PYTHON.exists() and read(stamp("uv")) == block:
        return
    say(f"making {VENV.name}")
    clear = [] if PYTHON.exists() else ["--clear"]
    subprocess.run([sys.executable, "-m", "venv", *clear, str(VENV)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder) / "uv.txt"
        only_uv.write_text(block, encoding="utf-8")
        pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(only_uv)], check=True)
    stamp("uv").write_text(block, encoding="utf-8")


def uv_block() -> str:
    """The lines of ``requirements/runtime.txt`` that pin uv, with their hashes."""
    lines = requirements("runtime").read_text(encoding="utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((number for number in range(start + 1, len(lines)) if not lines[number].startswith(" ")), len(lines))
    return "\n".join(line for line in lines[start:end] if not line.lstrip().startswith("#")) + "\n"


def requirements(purpose: str) -> Path:
    return ROOT / "requirements" / f"{purpose}.txt"


def stamp(purpose: str) -> Path:
    return VENV / f".bottool-{purpose}"


def is_member(folder: Path) -> bool:
    return (folder / "pyproject.toml").is_file()


def fingerprint(purpose: str) -> str:
    """Changes when another installation is due: other requirements, other members, another place."""
    made_of = hashlib.sha256(str(ROOT).encode())
    for file in [requirements(purpose), *(member / "pyproject.toml" for member in MEMBERS if is_member(member))]:
        made_of.update(file.read_bytes())
    return made_of.hexdigest()


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def hand_over(command: list[str]) -> int:
    """Become the tool, so that signals reach it; Windows cannot, there the tool is a child."""
    if os.name != "nt":
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    child = subprocess.Popen(command)
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:  # the child got it as well and ends by itself
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
