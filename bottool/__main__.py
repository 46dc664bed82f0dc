"""``python -m bottool``: the command line."""

import sys

from bottool.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
