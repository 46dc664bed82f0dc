"""What becomes of a file's bytes inside an archive: its mode, and whether and how it is compressed.

Everything here is decided by content alone, so that the same files give the same bytes on every machine: libdeflate
compresses alike everywhere, where the zlib of a Python differs from machine to machine. Windows has no executable bit,
so a file is executable when it starts as a script or a program does.
"""

import deflate

HEAD_BYTES = 8
"""How much of a file ``mode_of`` looks at."""
_LEVEL = 6
_FAST = 1
_SAMPLED_FROM_BYTES = 64 * 1024
_SAMPLE_BYTES = 16 * 1024
_WORTH = 0.97
_SCRIPT = b"#!"
_ELF = b"\x7fELF"
_MACH_O = frozenset({b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe", b"\xcf\xfa\xed\xfe"})
_MACH_O_FAT = b"\xca\xfe\xba\xbe"
_JAVA_CLASS_FROM = 45
"""A class file starts like a fat Mach-O; where that counts its parts, a class has its version, 45 and up."""


def mode_of(head: bytes | memoryview) -> int:
    """The mode of a file that starts so: scripts and programs may be executed."""
    start = bytes(head[:4])
    executable = start[:2] == _SCRIPT or start == _ELF or start in _MACH_O or _is_fat(bytes(head[:HEAD_BYTES]))
    return 0o755 if executable else 0o644


def _is_fat(head: bytes) -> bool:
    return head[:4] == _MACH_O_FAT and 0 < int.from_bytes(head[4:8], "big") < _JAVA_CLASS_FROM


def compressed(data: bytes | memoryview) -> bytearray | None:
    """The data as a deflate stream; ``None`` where that would save nothing, or hardly anything."""
    if not len(data) or not _is_worth_trying(data):
        return None
    packed = deflate.deflate_compress(data, _LEVEL)
    return packed if len(packed) < len(data) else None


def _is_worth_trying(data: bytes | memoryview) -> bool:
    """Samples of a large file, quickly compressed: pictures, videos and archives shrink no further."""
    size = len(data)
    if size < _SAMPLED_FROM_BYTES:
        return True
    starts = (0, size // 2, size - _SAMPLE_BYTES)
    samples = [data[start : start + _SAMPLE_BYTES] for start in starts]
    return any(len(deflate.deflate_compress(each, _FAST)) < len(each) * _WORTH for each in samples)


def gzipped(data: memoryview) -> bytearray:
    """The data as one gzip member without a time."""
    return deflate.gzip_compress(data, _LEVEL)


def checksum(data: bytes | memoryview, initial: int = 0) -> int:
    """The CRC-32 that zip files hold."""
    return deflate.crc32(data, initial)
