"""Output that is no text: every byte there is, and half a character."""
import os

os.write(1, bytes(range(256)) + "ç".encode()[:1])
