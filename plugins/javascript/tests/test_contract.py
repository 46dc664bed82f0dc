"""The tests that every language passes."""

from bottool.testing import LanguageContract
from bottool_javascript.language import JavaScript, TypeScript

ENDING = "process.exitCode = Number(process.argv[3]);\n"
SLEEPING = """process.on("SIGTERM", () => {});
process.stdout.write("ready\\n");
setTimeout(() => {}, 600000);
"""
FLOODING = """let left = @MEGABYTES@ * 16;
const letters = "x".repeat(65536);
function print() {
    while (left > 0) {
        left -= 1;
        if (!process.stdout.write(letters)) {
            process.stdout.once("drain", print);
            return;
        }
    }
    process.stdout.write("\\n");
}
print();
"""
SPAWNING = """const child = require("child_process").spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
child.unref();
console.log(child.pid);
"""


class TestJavaScript(LanguageContract):
    language = JavaScript()
    speaks = ("bot.js", 'console.log("@TEXT@");\nprocess.exitCode = @STATUS@;\n')
    ends = ("bot.js", ENDING)
    sleeps = ("bot.js", SLEEPING)
    floods = ("bot.js", FLOODING)
    spawns = ("bot.js", SPAWNING)


class TestTypeScript(LanguageContract):
    language = TypeScript()
    speaks = (
        "src/bot.ts",
        (
            'declare const process: { exitCode: number };\nconst text: string = "@TEXT@";\nconsole.log(text);\n'
            "process.exitCode = @STATUS@;\n"
        ),
    )
    ends = (
        "src/bot.ts",
        "declare const process: { exitCode: number; argv: string[] };\nprocess.exitCode = Number(process.argv[3]);\n",
    )
    floods = (
        "src/bot.ts",
        (
            "declare const process: { stdout: { write(text: string, then: () => void): boolean } };\n"
            "let left: number = @MEGABYTES@ * 16;\n"
            "function print(): void {\n    left -= 1;\n"
            '    process.stdout.write(left < 0 ? "\\n" : "x".repeat(65536), left < 0 ? () => {} : print);\n}\nprint();\n'
        ),
    )
