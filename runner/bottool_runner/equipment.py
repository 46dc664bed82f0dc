"""What a bot runs with on this machine: its interpreter and what is installed for it, told once for each environment.

Asked in the keeper while it prepares, and kept in the cache: the next start of the same package in the same environment
only reads it. ``Teller`` sends it from the runner. Neither does harm when it fails.
"""

import hashlib
import threading
import traceback
from pathlib import Path

import msgspec

from bottool import wire
from bottool.errors import BottoolError
from bottool.model import Installation
from bottool.plugins import Plugins
from bottool_runner import machine
from bottool_runner.gateway import Gateway
from bottool_runner.journal import AttemptFolder

EQUIPMENT = "equipment.json"
MOST_DEPENDENCIES = 2000
_FORMAT = "1"


def note(plugins: Plugins, installation: Installation, cache: Path, folder: AttemptFolder) -> None:
    """Write down in the attempt's folder what the installation runs with."""
    try:
        folder.show(EQUIPMENT, _known(plugins, installation, cache))
    except Exception:  # noqa: BLE001 - a language's plugin may raise anything, and this is only told to people
        traceback.print_exc()


def _known(plugins: Plugins, installation: Installation, cache: Path) -> wire.NewEquipment:
    package = installation.package
    parts = (_FORMAT, package.language, package.sha256, str(installation.environment or ""), machine.system())
    kept = cache / "equipment" / f"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}.json"
    try:
        return msgspec.json.decode(kept.read_bytes(), type=wire.NewEquipment)
    except (OSError, msgspec.MsgspecError):
        found = _asked(plugins, installation)
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = kept.with_suffix(f".{threading.get_native_id()}")
    fresh.write_bytes(msgspec.json.encode(found))
    fresh.replace(kept)
    return found


def _asked(plugins: Plugins, installation: Installation) -> wire.NewEquipment:
    language = plugins.language(installation.package.language)
    found = language.equipment(installation)
    equipment = wire.Equipment(
        language=language.name,
        interpreter=found.interpreter,
        system=machine.system(),
        dependencies=[
            wire.Dependency(name=each.name, version=each.version, ecosystem=each.ecosystem, direct=each.direct)
            for each in sorted(found.dependencies, key=lambda each: (each.name, each.version))[:MOST_DEPENDENCIES]
        ],
    )
    digest = hashlib.sha256(msgspec.json.encode(equipment)).hexdigest()
    return wire.NewEquipment(digest=digest, equipment=equipment)


class Teller:
    """Tells the server of each equipment once in the life of a runner's process. Safe from any thread."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._told: set[str] = set()

    def digest_of(self, folder: AttemptFolder) -> str:
        """What the attempt's equipment is called, once the server knows it; ``""`` when it does not come to know it."""
        found = folder.read(EQUIPMENT, wire.NewEquipment)
        if found is None:
            return ""
        if found.digest not in self._told:
            try:
                self._gateway.equipment(*folder.key, found)
            except BottoolError:
                return ""
            self._told.add(found.digest)
        return found.digest
