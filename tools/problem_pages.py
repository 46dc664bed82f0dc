"""Writes the index of docs/problems: a line for each page, with its first sentence.

python tools/problem_pages.py
"""

from pathlib import Path

from bottool.pages import codes, page_of

INDEX = Path(__file__).resolve().parent.parent / "docs" / "problems" / "README.md"
HEAD = """# Problems that validate shows

`bottool validate` puts the code of a problem into brackets behind it;
`bottool validate --explain CODE` prints its page.

| code | what it means |
|---|---|
"""


def main() -> None:
    pages = [page for code in codes() if (page := page_of(code))]
    lines = [f"| [{page.code}]({page.code}.md) | {page.summary} |\n" for page in pages]
    INDEX.write_text(HEAD + "".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
