"""Says hello, shows what it was given as JSON, and succeeds."""
import json
import os
import sys

shown = {
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "variables": {name: value for name, value in os.environ.items() if name.startswith(("BOTTOOL_", "PYTHON", "BOT_"))},
}
print("hello, olá, 你好")
print(json.dumps(shown))
