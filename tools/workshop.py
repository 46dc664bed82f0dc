"""What the tools share: where things are, and how to run a step and tell how it went."""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UV = (sys.executable, "-m", "uv")


def members() -> list[Path]:
    """The folders of the seven distributions and core, core first."""
    folders = [ROOT, *sorted((ROOT / "plugins").iterdir()), ROOT / "web", ROOT / "runner"]
    return [folder for folder in folders if (folder / "pyproject.toml").is_file()]


def variables(**more: str) -> dict[str, str]:
    """What a step gets: our own variables, with the programs of ``.venv`` found first."""
    inherited = dict(os.environ)
    inherited["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    return inherited | more


def step(title: str, command: list[str], folder: Path = ROOT, environment: dict[str, str] | None = None) -> bool:
    """Run one step with its output as it comes; True when it ended well."""
    return status_of(title, command, folder, environment) == 0


def status_of(title: str, command: list[str], folder: Path = ROOT, environment: dict[str, str] | None = None) -> int:
    """Run one step as ``step`` does; its exit status."""
    say(f"▶ {title}")
    started = time.monotonic()
    status = subprocess.run(command, cwd=folder, env=environment or variables(), check=False).returncode
    say(f"{'✓' if status == 0 else '✗'} {title} ({time.monotonic() - started:.1f} s)")
    return status


def say(text: str = "") -> None:
    """Print at once, so that lines of ours and of our children stay in order."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    print(text.encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8"), flush=True)
