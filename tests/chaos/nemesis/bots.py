"""The bots of a round, and what their automations promise. Each writes to the witness file what it really did.

A line of the witness is written in one call and synced: ``start TASK ATTEMPT NONCE PID TIME``, ``said TASK ATTEMPT NONCE
STATUS CODE``, ``end TASK ATTEMPT NONCE EXIT_CODE LINES TIME``. They use nothing but Python's own library.
"""

import json
import sys
from dataclasses import dataclass

COMMON = """
import os, re, sys, time, random
server, task, token, workspace = sys.argv[1:5]
attempt = re.search(r"attempts.(\\d+)-(\\d+)", os.getcwd())[2]
nonce = os.urandom(6).hex()
witness = os.open(os.environ["NEMESIS"] + "/witness", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
lines = 0
def note(*words):
    os.write(witness, (" ".join(map(str, words)) + "\\n").encode())
    os.fsync(witness)
def say(text):
    global lines
    print(task, attempt, nonce, lines, text, flush=True)
    lines += 1
def end(code):
    sys.stdout.flush()
    note("end", task, attempt, nonce, code, lines, time.time())
    os._exit(code)
note("start", task, attempt, nonce, os.getpid(), time.time())
note("secret", task, attempt, token)
"""
QUICK = """
for number in range(3):
    say("working")
time.sleep(random.uniform(0, 0.2))
end(0)
"""
STEADY = """
for number in range(random.randint(5, 20)):
    say("still here")
    time.sleep(0.1)
end(0)
"""
LONG = """
for number in range(random.randint(15, 40)):
    say("taking my time")
    time.sleep(0.2)
end(0)
"""
FAILS = """
say("about to fail")
time.sleep(random.uniform(0, 0.2))
end(3)
"""
SPEAKS = """
import json, urllib.request, urllib.error
say("my token is " + token)
status = random.choice(["succeeded", "failed", "partial"])
body = json.dumps({"status": status, "message": "said " + nonce}).encode()
code = 0
for tried in range(12):
    ask = urllib.request.Request(server + "/rest/v1/tasks/" + task + "/finish", body,
        {"Content-Type": "application/json", "Authorization": "Bearer " + token})
    try:
        code = urllib.request.urlopen(ask, timeout=3).status
        break
    except urllib.error.HTTPError as error:
        code = error.code
        if code < 500:
            break
    except OSError:
        code = 0
    time.sleep(0.2)
note("said", task, attempt, nonce, status, code)
end(random.choice([0, 0, 7]))
"""
LEAVES = """
import subprocess
for number in range(2):
    child = subprocess.Popen([sys.executable, "-S", "-E", "-c", "import time; time.sleep(600)"], start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    say("left a process")
time.sleep(random.uniform(0, 3))  # in silence: a bot whose keeper is gone would fall over its next line
end(0)
"""


@dataclass(frozen=True, kw_only=True)
class Bot:
    name: str
    source: str
    max_attempts: int = 1
    weight: int = 1

    @property
    def files(self) -> dict[str, bytes]:
        run = json.dumps([sys.executable, "-S", "-E", "work.py"])
        toml = f'id = "{self.name}"\nversion = "1.0.0"\nlanguage = "command"\n\n[command]\nrun = {run}\n'
        return {"bot.toml": toml.encode(), "work.py": f"{COMMON}{self.source}".encode()}


BOTS = (
    Bot(name="quick", source=QUICK, weight=4),
    Bot(name="steady", source=STEADY, weight=4),
    Bot(name="long", source=LONG, weight=2),
    Bot(name="fails", source=FAILS, max_attempts=3, weight=2),
    Bot(name="speaks", source=SPEAKS, weight=2),
    Bot(name="leaves", source=LEAVES),
)
