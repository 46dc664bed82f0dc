"""What in a text file deserves a warning in any language: passwords and keys, and paths that one machine only has.

One compiled expression for each kind of file, tried only around words that every finding contains. Made to be quiet:
a false alarm teaches people to look away. A value that was found is judged here and leaves this module never.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

CODE = frozenset(
    {
        *(".py", ".pyw", ".rb", ".php", ".lua", ".robot", ".go", ".cs", ".vb", ".vbs", ".sql"),
        *(".java", ".kt", ".groovy", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx"),
        *(".sh", ".bat", ".cmd", ".ps1"),
    }
)
CONFIGURATION = frozenset(
    {".properties", ".ini", ".cfg", ".conf", ".config", ".yml", ".yaml", ".toml", ".json", ".xml", ".env"}
)
PROSE = frozenset({".md", ".txt", ".rst", ".html", ".htm", ".css", ".csv", ".pem", ".key"})
"""Read for keys of known shape only."""
_WITHOUT_ENDING = {
    **dict.fromkeys((".npmrc", ".yarnrc", ".pypirc"), ".ini"),
    **dict.fromkeys(("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"), ".pem"),
}


def suffix_of(name: str) -> str:
    """The ending by which a file is judged, in small letters; files that are known by their whole name have one too."""
    path = PurePosixPath(name)
    return _WITHOUT_ENDING.get(path.name) or path.suffix.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """``what`` completes the message; never the value of a secret."""

    code: str
    what: str
    position: int


# Keys that can be known by their shape alone.
_TOKENS = {
    "aws": (r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", "an AWS access key"),
    "github": (r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})", "a GitHub token"),
    "slack": (r"\bxox[abprs]-[0-9A-Za-z-]{20,}", "a Slack token"),
    "google": (r"\bAIza[\w-]{35}", "a Google API key"),
    "openai": (r"\bsk-(?:proj-)?[A-Za-z0-9_]{32,}", "an API key"),
    "stripe": (r"\b[rs]k_live_[0-9A-Za-z]{20,}", "a Stripe key"),
    "telegram": (r"\b\d{8,10}:AA[\w-]{33}\b", "a Telegram bot token"),
    "private": (r"-----BEGIN (?:[A-Z]{2,10} )*PRIVATE KEY-----", "a private key"),
    "jwt": (r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}", "a signed token (JWT)"),
    "registry": (r":_(?:authToken|auth|password)[ \t]*=[ \t]*[^\s$]{8,}", "a login of a package registry"),
    "address": (
        r"\b[A-Za-z][A-Za-z0-9+]{2,20}://[^\s:/@\"'<>{}$]{1,64}:(?P<in_address>[^\s@/\"'<>{}$]{3,80})@[\w.-]",
        "a password in an address",
    ),
}
_WORDS = r"(?i:passw(?:or)?d|passphrase|pwd|senha|contrase[nñ]a|secret|api_?key|access_?key|token)"
_ASSIGNED = (
    rf"(?P<name>\b\w*?{_WORDS}\w*)[\"'\]]{{0,2}}(?:\s*:\s*\w+)?\s*(?::=|=>|[:=(])\s*"
    r"(?P<quote>[\"'`])(?P<value>[^\"'`\n]{4,200})(?P=quote)"
)
_CONFIGURED = (
    rf"(?m:^[ \t]*(?:export\s+)?(?P<key>[\w.-]*{_WORDS}[\w.-]*)[ \t]*[=:][ \t]*(?P<bare>[^\s\"'#]{{4,200}})[ \t]*\r?$)"
)
_CONNECTION = r"(?i:;\s*(?:pwd|password)\s*=\s*)(?P<in_connection>[^;\"'\s{}<>$%]{4,80})"
_PATH = (
    r"(?P<path>(?<![\w/.\-\\])(?:[A-Z]:|[cd]:)(?:\\{1,2}|/(?!/))(?=[\w$%({][\w $%()}.-])[^\"'`\n<>|*?]{2,200}"
    r"|(?<=[\"'`=(\s])/(?:home|Users)/[\w.-]+/[^\"'`\s]*)"
)

_SHAPES = "|".join(f"(?P<{name}>{pattern})" for name, (pattern, _) in _TOKENS.items())
_IN_PROSE = re.compile(_SHAPES)
_IN_CODE = re.compile(f"{_SHAPES}|{_ASSIGNED}|{_CONNECTION}|{_PATH}")
_IN_CONFIGURATION = re.compile(f"{_SHAPES}|{_ASSIGNED}|{_CONFIGURED}|{_CONNECTION}|{_PATH}")

_MARKS = (
    *("passw", "passphrase", "pwd", "senha", "contrase", "secret", "apikey", "api_key", "accesskey", "access_key"),
    *("token", "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "aiza", "sk-", "k_live_"),
    *(":aa", ":_auth", "private key", "eyj", "://", ":\\", ":/", "/home/", "/users/"),
)
"""In small letters: whatever the expressions find contains one of these."""
_BEFORE, _AFTER = 200, 400
_SMALL = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_NOT_A_SECRETS_NAME = re.compile(
    r"(?i)(?:field|_?id|name|address|label|selector|xpath|css|url|uri|file|path|env|type|input|prompt|element|locator|length"
    r"|hash|title|message|text|button|placeholder|regex|pattern|format|header|error|key_?name|tokenizer|tokens)$"
    r"|^(?:get|find|read|ask|wait|click|is|has|check|validate)_?"
)
_DEMO = re.compile(
    r"(?i)(?:p[a@]ss(?:w[o0]rd|wd)?|senha|secret(?:_sauce)?|token|change_?me|mudar|trocar|admin(?:istrator)?|root|teste?"
    r"|demo|example|exemplo|sample|user|usuario|guest|foo|bar|test_?pass(?:word)?|string|none|null|true|false|secretkey|api_?key|default"
    r"|supersecretpassword|mypassword|minhasenha|qwerty|abc|postgres|x+|\*+|\.+|-+|_+|0+|1234?5?6?7?8?9?0?)[!@#]?\d{0,4}[!@#]?"
)
_PLACEHOLDER = re.compile(
    r"(?i)[<{}$%]|^\W|\.\.\.|\byour|\bsua\b|\bseu\b|\btu\b|_here$|aqui$|insira|insert|replace|xxxx|\*\*\*|env\b|getenv|^(?:https?:|data:)|^[a-z]+\.[a-z.]+$"
)
_APP_PASSWORD = re.compile(r"[a-z]{4}(?: [a-z]{4}){3}")
"""As Google gives them out for programs that send mail."""
_COMMENT = re.compile(r"\s*(?:#|//|\*|/\*|--|;|'|(?i:rem)\b|<!--)")
_WINDOWS_PROGRAM = re.compile(r"(?i)^[a-z]:[\\/]+(?:program files|windows\b)|\.(?:exe|msi|lnk|bat)\b")
_SHOWN = 80


def hits(text: str, suffix: str) -> Iterator[Hit]:
    """All findings in a file whose name ends with ``suffix``, by position."""
    expression = _IN_PROSE if suffix in PROSE else _IN_CONFIGURATION if suffix in CONFIGURATION else _IN_CODE
    for start, end in _windows(text):
        for found in expression.finditer(text, start, end):
            judged = _judge(found, text)
            if judged:
                yield judged


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """The parts of lines around what every finding contains: a plain search is a hundred times quicker than ours."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # Few letters grow when they are made small; positions must stay.
        lowered = text.translate(_SMALL)
    found = []
    for mark in _MARKS:
        at = lowered.find(mark)
        while at >= 0:
            line_end = text.find("\n", at)
            end = min(at + _AFTER, len(text) if line_end < 0 else line_end + 1)
            found.append((max(text.rfind("\n", 0, at) + 1, at - _BEFORE), end))
            at = lowered.find(mark, max(end - _BEFORE, at + 1) if end == at + _AFTER else end)
    yield from _merged(sorted(found))


def _merged(windows: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    start, end = -1, -1
    for each_start, each_end in windows:
        if each_start > end:
            if end > start:
                yield start, end
            start, end = each_start, each_end
        else:
            end = max(end, each_end)
    if end > start:
        yield start, end


def _judge(found: re.Match[str], text: str) -> Hit | None:
    groups = {name: value for name, value in found.groupdict().items() if value is not None}
    if "path" in groups:
        return _path(groups["path"], found.start("path"), text)
    what = _secret(groups)
    return Hit(code="secret_in_code", what=what, position=found.start()) if what else None


def _secret(groups: dict[str, str]) -> str:
    """What kind of secret was found; ``""`` when it is none."""
    if "value" in groups or "bare" in groups:
        name = groups.get("name") or groups.get("key") or ""
        value = groups.get("value") or groups.get("bare") or ""
        return f"a value for '{name}'" if not _NOT_A_SECRETS_NAME.search(name) and _looks_secret(value) else ""
    if "in_connection" in groups:
        return "a password in a connection string" if _looks_secret(groups["in_connection"]) else ""
    if "in_address" in groups:
        return _TOKENS["address"][1] if _looks_secret(groups["in_address"]) else ""
    return next(what for name, (_, what) in _TOKENS.items() if name in groups)


def _looks_secret(value: str) -> bool:
    """False for demo values, placeholders, sentences, and plain words, which are names rather than secrets."""
    if _APP_PASSWORD.fullmatch(value):
        return True
    if _DEMO.fullmatch(value) or _PLACEHOLDER.search(value) or re.search(r"\s", value):
        return False
    has_digit = any(sign.isdigit() for sign in value)
    has_letter = any(sign.isalpha() for sign in value)
    has_sign = re.search(r"[!@#&+=^~]", value) is not None
    return (has_digit and (has_letter or has_sign)) or (has_letter and has_sign)


def _path(path: str, position: int, text: str) -> Hit | None:
    """What a comment mentions is used by nothing."""
    line_start = text.rfind("\n", 0, position) + 1
    if _COMMENT.match(text, line_start, position + 1):
        return None
    shown = path.rstrip(" ,;)\\]")
    shown = f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN else shown
    code = "windows_only" if _WINDOWS_PROGRAM.search(path) else "absolute_path"
    return Hit(code=code, what=shown, position=position)
