"""Signatures of jars: whether what a signed jar holds is still what was signed.

A jar into which signed libraries were packed keeps their signatures, which fit nothing any more: Java refuses to start
it. Only digests are compared; who signed is nobody's question here.
"""

import base64
import hashlib
import re
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

_SIGNED = re.compile(r"META-INF/[^/]+\.(RSA|DSA|EC)", re.IGNORECASE)
_SIGNATURE = re.compile(r"META-INF/([^/]+\.(SF|RSA|DSA|EC)|SIG-[^/]+)", re.IGNORECASE)
_DIGEST = re.compile(r"^(SHA-256|SHA-384|SHA-512|SHA1|SHA-1)-Digest(-Manifest)?: (\S+)$", re.MULTILINE)
_MANIFEST = "META-INF/MANIFEST.MF"
_MOST_ENTRIES = 20_000


def altered(path: Path) -> str:
    """The first entry of a signed jar that is not what was signed; ``""`` when all are, or when it is not signed."""
    with zipfile.ZipFile(path) as jar:
        names = set(jar.namelist())
        if not any(_SIGNED.fullmatch(name) for name in names):
            return ""
        if _MANIFEST not in names:
            return _MANIFEST
        manifest = jar.read(_MANIFEST)
        if not _manifest_was_signed(jar, names, manifest):
            return _MANIFEST
        signed = dict(_sections(manifest))
        for name, section in list(signed.items())[:_MOST_ENTRIES]:
            if name not in names or not _fits(section, jar.read(name), of_manifest=False):
                return name
        classes = (name for name in names if name.endswith(".class"))
        return next((name for name in sorted(classes) if name not in signed), "")


def _manifest_was_signed(jar: zipfile.ZipFile, names: set[str], manifest: bytes) -> bool:
    """True when a signature file is about this very manifest.

    Java also accepts a manifest that grew by sections; then the digests of its sections are in the signature file.
    """
    files = [jar.read(name).decode("utf-8", "replace") for name in names if name.upper().endswith(".SF")]
    return any(_fits(text, manifest, of_manifest=True) or "\nName: " in text.replace("\r", "") for text in files)


def _sections(manifest: bytes) -> Iterator[tuple[str, str]]:
    text = manifest.decode("utf-8", "replace").replace("\r\n", "\n").replace("\n ", "")
    for section in text.split("\n\n"):
        if (match := re.match(r"\n*Name: (.+)", section)) and _DIGEST.search(section):
            yield match[1], section


def _fits(text: str, content: bytes, *, of_manifest: bool) -> bool:
    """True when one of the digests in ``text`` is that of ``content``."""
    for name, manifest, value in _DIGEST.findall(text.replace("\r", "")):
        algorithm = name.replace("-", "").lower()
        digest = hashlib.new(algorithm, content, usedforsecurity=False).digest()
        if bool(manifest) == of_manifest and base64.b64encode(digest).decode() == value:
            return True
    return False


def without_broken(path: Path, target: Path) -> Path:
    """``path`` itself, or ``target``: a copy without the signatures, when they fit nothing."""
    if not altered(path):
        return path
    with zipfile.ZipFile(path) as jar, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as clean:
        for info in jar.infolist():
            if not _SIGNATURE.fullmatch(info.filename):
                with jar.open(info) as source, clean.open(info, "w") as copy:
                    shutil.copyfileobj(source, copy)
    return target
