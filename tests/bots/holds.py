"""Uses an environment in the cache of the first argument: ``hold`` it until killed, hang when asked to ``make`` it, or
use it ``once``.

Prints, as JSON, the folder that it was asked to make (``make`` and ``once`` only), and at the end the one it uses.
"""
import json
import sys
import time
from pathlib import Path

from bottool.shelf import About, Shelf, Thing

shelf, how = Shelf(Path(sys.argv[1])), sys.argv[2]


def make(folder):
    with shelf.store("any"):
        (folder / "half.txt").write_text("half", encoding="utf-8")
        if how != "hold":
            print(json.dumps(str(folder)), flush=True)
        time.sleep(120 if how == "make" else 0.02)
        (folder / "whole.txt").write_text("whole", encoding="utf-8")


print(json.dumps(str(shelf.have(Thing("environments", "any"), make, About(label="any")))), flush=True)
if how == "hold":
    time.sleep(120)
