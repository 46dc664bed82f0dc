"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_javascript.language import JavaScript, TypeScript


class TestJavaScript(LanguageContract):
    language = JavaScript()
    speaks = ("bot.js", 'console.log("@TEXT@");\nprocess.exitCode = @STATUS@;\n')


class TestTypeScript(LanguageContract):
    language = TypeScript()
    speaks = (
        "src/bot.ts",
        (
            'declare const process: { exitCode: number };\nconst text: string = "@TEXT@";\nconsole.log(text);\n'
            "process.exitCode = @STATUS@;\n"
        ),
    )
