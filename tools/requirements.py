"""Compile ``requirements/*.in`` into files with exact versions and hashes, for every system and Python from 3.11.

Run it after changing an ``.in`` file; ``--upgrade`` takes the newest versions. Later files are held to what the
earlier ones chose, so that one environment can hold them all.
"""

import subprocess
import sys

from workshop import ROOT, UV, say

ORDER = {"runtime": "", "dev": "runtime", "build": "dev", "test": "dev", "node": ""}


def main(arguments: list[str]) -> int:
    for purpose, held_to in ORDER.items():
        command = [*UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"]
        command += ["--no-header", *arguments, f"requirements/{purpose}.in", "-o", f"requirements/{purpose}.txt"]
        if held_to:
            command += ["-c", f"requirements/{held_to}.txt"]
        if subprocess.run(command, cwd=ROOT, check=False).returncode != 0:
            say(f"requirements/{purpose}.in could not be compiled")
            return 1
        say(f"requirements/{purpose}.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
