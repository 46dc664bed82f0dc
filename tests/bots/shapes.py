"""Projects in the shapes that exist: small, faithful in what trips a tool, and runnable without the network.

``SHAPES[name](folder)`` writes one into an empty folder. ``BOTS[name]`` says which folders in it are bots.
"""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

PYTHON = """import sys


def main():
    print("olá from", "NAME", "with", len(sys.argv) - 1, "arguments", flush=True)


if __name__ == "__main__":
    main()
"""
BUILD_SH = '#!/bin/bash\n\nzip -r "NAME.zip" * -x "NAME.zip"'
BUILD_PS1 = (
    '$exclude = @("venv", "NAME.zip")\n$files = Get-ChildItem -Path . -Exclude $exclude\n'
    'Compress-Archive -Path $files -DestinationPath "NAME.zip" -Force'
)
BUILD_BAT = "@ECHO OFF\r\nPowershell.exe -executionpolicy bypass -File  build.ps1"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def write(folder: Path, files: "dict[str, str | bytes]") -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def botproj(name: str) -> str:
    return json.dumps(
        {
            "name": name,
            "sourceDirPath": "/",
            "resourceDirPath": "/resources/",
            "sourceDirRelative": True,
            "resourceDirRelative": True,
        }
    )


def studio(name: str, *, entry: str = "bot.py", packed_as: str = "", source: str = PYTHON) -> "dict[str, str | bytes]":
    """The files of the newer template: zip layout, project file, three build scripts."""
    packed_as = packed_as or name
    return {
        entry: source.replace("NAME", name),
        "requirements.txt": "",
        "resources/start.png": PNG,
        f"{name}.botproj": botproj(name),
        "build.sh": BUILD_SH.replace("NAME", packed_as),
        "build.ps1": BUILD_PS1.replace("NAME", packed_as),
        "build.bat": BUILD_BAT,
    }


def below(prefix: str, files: "dict[str, str | bytes]") -> "dict[str, str | bytes]":
    return {f"{prefix}/{name}": content for name, content in files.items()}


def environment(*, libraries: int = 20) -> "dict[str, str | bytes]":
    """What a committed virtual environment of Windows looks like."""
    files: dict[str, str | bytes] = {
        "pyvenv.cfg": "home = C:\\Python310\nversion = 3.10.4\n",
        "Scripts/python.exe": b"MZ\0\0",
        "Scripts/activate.bat": "@echo off\r\n",
    }
    for number in range(libraries):
        files[f"Lib/site-packages/lib{number}/__init__.py"] = "x = 1\n"
        files[f"Lib/site-packages/lib{number}/main.py"] = "x = 1\n"
    return files


def zipped(files: "dict[str, str]") -> bytes:
    """A zip as ``Compress-Archive`` of Windows PowerShell writes it, with backslashes in its names."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo("placeholder")
            info.filename = name
            archive.writestr(info, text)
    return made.getvalue()


def py_new(folder: Path) -> None:
    """The newer Python template: bot.py, .botproj and three build scripts, none of them executable."""
    write(folder, studio("botPython"))


def py_old(folder: Path) -> None:
    """The older cookiecutter layout: setup.py, VERSION without a final newline, a package with __main__.py."""
    package = {
        "__init__.py": "",
        "__main__.py": "from BotTable.bot import Bot\n\nif __name__ == '__main__':\n    Bot().action()\n",
        "bot.py": "class Bot:\n    def action(self, execution=None):\n        print('olá from BotTable', flush=True)\n",
        "resources/start.png": PNG,
        "botCityData.csv": "a;b\n1;2\n",
    }
    setup = """from setuptools import setup
with open("VERSION") as file:
    version = file.read()
setup(name="BotTable", version=version, packages=["BotTable"], include_package_data=True)
"""
    write(
        folder,
        {
            **below("BotTable", package),
            "setup.py": setup,
            "VERSION": "1.0",
            "MANIFEST.in": "recursive-include BotTable/resources *\n",
            "README.md": "# BotTable\n",
            "requirements.txt": "",
            "BotTable.botproj": botproj("BotTable"),
            "build.sh": "#!/bin/bash\n\npython setup.py sdist\n",
            "build.bat": "python setup.py sdist\r\n",
            "BotTable.egg-info/PKG-INFO": "Metadata-Version: 2.1\nName: BotTable\nVersion: 1.0\n",
            "BotTable/__pycache__/bot.cpython-310.pyc": b"\0\0",
        },
    )


def py_main(folder: Path) -> None:
    """A bot that starts with main.py instead of bot.py and adds src/ to its path."""
    source = "import sys\nsys.path.append('src')\nimport pieces\nprint(pieces.WORD, flush=True)\n"
    write(folder, {**studio("clima_manaus", entry="main.py", source=source), "src/pieces.py": "WORD = 'olá'\n"})


def py_subfolder(folder: Path) -> None:
    """One bot a level below the repository's root."""
    write(folder, {"README.md": "# bot\n", "STUDIO.md": "open it\n", ".git/HEAD": "", **below("botPython", studio("botPython"))})


def py_many(folder: Path) -> None:
    """Six bots and two Flask applications in one repository; four bots are packed under another name."""
    names = {
        "api_metropole": "api_metropolitana_ifam",
        "bot_eleitor": "bot_aval_lg",
        "bot_pdf_excel": "bot_pdf_excel",
        "bot_web_pdf": "bot_web_pdf",
        "clima_manaus": "botPythonBoth",
        "desafio07": "desafio05",
    }
    files: dict[str, str | bytes] = {".git/HEAD": "", "README.md": "# bots\n", "etc/commands.md": "x\n"}
    for name, packed_as in names.items():
        files |= below(name, studio(name, entry="main.py", packed_as=packed_as))
    for name in ("api_database", "api_desafio"):
        app = "from flask import Flask\n\napp = Flask(__name__)\n\nif __name__ == '__main__':\n    app.run()\n"
        files |= below(name, {"service/service_api.py": app, "requirements.txt": "Flask==2.2.2\n", "README.md": "x\n"})
    write(folder, files)


def py_in_environment(folder: Path) -> None:
    """The bot's folder is a virtual environment itself: bot.py, pyvenv.cfg, Lib and Scripts side by side."""
    write(folder, {**studio("Bot"), **environment()})


def py_environment_beside(folder: Path) -> None:
    """Two bots and a committed virtual environment at the root; both build.sh write the same zip."""
    write(
        folder,
        {
            ".git/HEAD": "",
            "README.md": "x\n",
            **below("rpa_env", environment()),
            **below("cadastrar_funcionario", studio("cadastrar_funcionario", packed_as="init_work")),
            **below("init_work", studio("init_work")),
            "cadastrar_funcionario/resources/Usuários_folder.png": PNG,
        },
    )


def py_utf16(folder: Path) -> None:
    """requirements.txt in UTF-16 with CRLF, as PowerShell writes it; pyproject.toml and a poetry lock beside it."""
    write(
        folder,
        {
            "bot.py": PYTHON.replace("NAME", "rpa-template"),
            "requirements.txt": "# feito com 💙\r\n".encode("utf-16"),
            "pyproject.toml": '[tool.poetry]\nname = "rpa-template"\nversion = "0.1.0"\n',
            "poetry.lock": "package = []\n",
            "build.ps1": "$zipFileName = \"$currentFolderName.zip\"\r\n",
        },
    )


def py_powershell(folder: Path) -> None:
    """build.sh holds PowerShell with CRLF; an old zip with backslashes lies beside the code, and a second script."""
    powershell = BUILD_PS1.replace("NAME", "maestro").replace("\n", "\r\n")
    write(
        folder,
        {
            "bot.py": PYTHON.replace("NAME", "cicd"),
            "requirements.txt": "",
            "build.sh": powershell,
            "build - Copy.ps1": powershell,
            "maestro.zip": zipped({"bot.py": "old", "resources\\gone.png": "old"}),
            ".github/workflows/release_and_deploy.yml": "on: push\n",
        },
    )


def py_local_botcity(folder: Path) -> None:
    """A local package called botcity/, as the framework's own."""
    write(
        folder,
        {
            "bot.py": "from botcity.core import config\nprint('olá', config.NAME, flush=True)\n",
            "botcity/__init__.py": "",
            "botcity/core/__init__.py": "",
            "botcity/core/config.py": "NAME = 'local'\n",
            "requirements.txt": "",
        },
    )


def py_accents(folder: Path) -> None:
    """Blanks, accents, an emoji and signs of the shell in the names of folders and files, several levels deep."""
    name = "Desafios/Desafio 04 - Integração (v1) & [x]"
    files = studio("front_office")
    files["resources/ação 🤖 $HOME.png"] = PNG
    files["dados/São Paulo.csv"] = "cidade\nSão Paulo\n"
    write(folder, {"LICENSE": "MIT\n", **below(name, files)})


def py_names(folder: Path) -> None:
    """Folder, .botproj and build scripts say three names, and a second .botproj is left from a copy."""
    write(
        folder,
        {**studio("botcity-template", packed_as="bot_cadastro"), "old.botproj": botproj("old"), ".env.example": "KEY=\n"},
    )


def py_twice(folder: Path) -> None:
    """Two bots with one name in two folders, exercises beside them, and empty places of other repositories."""
    for number in (2, 4):
        write(folder / f"exercicio_{number}", below("bot_produto", studio("bot_produto")))
    write(folder, {".git/HEAD": "", "exercicio_1/main.py": "print(1)\n", "exercicio_1/livro.py": "x = 1\n"})
    (folder / "exercicio_3").mkdir()


def py_careless(folder: Path) -> None:
    """A bot with a password, paths of one machine, a large driver and a .env: each a finding, none an error."""
    password = "Xk29" + "!abQ"
    source = (
        "# coding: latin-1\n"
        f'password = "{password}"\n'
        'planilha = r"C:\\Users\\ana\\Documents\\planilha.xlsx"\n'
        'browser = r"C:\\Program Files\\Google\\Chrome\\chrome.exe"\n'
        'print("ol\xe1", flush=True)\n'
    )
    write(
        folder,
        {
            "bot.py": source.encode("latin-1"),
            "requirements.txt": "",
            ".env": f"LOGIN=ana\nexport SENHA={password}\n",
            "geckodriver.exe": b"MZ" + b"\0" * 1_500_000,
        },
    )


def py_template(folder: Path) -> None:
    """A cookiecutter template: {{ }}, quotes and blanks in the names of its folders."""
    name = "{{ cookiecutter.bot_id.replace(' ', '_') }}"
    write(
        folder,
        {
            "cookiecutter.json": "{}\n",
            f"{name}/setup.py": "from setuptools import setup\nsetup(name='{{ cookiecutter.bot_id }}')\n",
            f"{name}/{name}/bot.py": "pass\n",
            f"{name}/{name}/__main__.py": "pass\n",
        },
    )


def robocorp(folder: Path) -> None:
    """A Robocorp project: robot.yaml, conda.yaml and tasks.py, no requirements.txt."""
    conda = "channels:\n  - conda-forge\ndependencies:\n  - python=3.10.12\n  - pip=23.2.1\n  - pip:\n    - robocorp==1.2.4\n"
    robot = "tasks:\n  Calculate something:\n    shell: python -m robocorp.tasks run tasks.py\ncondaConfigFile: conda.yaml\n"
    tasks = "from robocorp.tasks import task\n\n\n@task\ndef calculate():\n    print('olá')\n"
    write(folder, {"robot.yaml": robot, "conda.yaml": conda, "tasks.py": tasks, ".pkgignore": "output\n"})


def java_assembly(folder: Path) -> None:
    """The Java template: an assembly that takes the plain jar's name, dependencies in a private repository."""
    write(
        folder,
        {
            "pom.xml": POM,
            "src/main/java/br/com/main/FirstBot.java": JAVA,
            "src/resources/README.md": "x\n",
            "FirstBot.botproj": botproj("FirstBot"),
            "build.sh": "rm -rf dist\nmvn clean package\nmkdir dist\nmv target/*jar dist/\n",
        },
    )


def java_libraries(folder: Path) -> None:
    """The older Java layout: jars in lib/ that install.sh puts into the local repository; mainClass on its own line."""
    pom = POM.replace("<mainClass>br.com.main.FirstBot</mainClass>", "<mainClass>\n  br.com.main.FirstBot\n</mainClass>")
    install = "mvn install:install-file -Dfile=lib/core.jar -DgroupId=dev.botcity -DartifactId=core -Dversion=1.0 -Dpackaging=jar\n"
    write(
        folder,
        {
            "pom.xml": pom,
            "src/main/java/br/com/main/FirstBot.java": JAVA,
            "lib/core.jar": zipped({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"}),
            "install.sh": install,
            "install.bat": install,
            "build.sh": "mvn clean package\n",
            ".classpath": "<classpath/>\n",
            "google-spreadsheet-prices.botproj": botproj("google-spreadsheet-prices"),
        },
    )


def typescript_template(folder: Path) -> None:
    """A command line program at the root that copies template/, which is the bot; its package has no name."""
    inner = {"name": "", "version": "1.0.0", "main": "dist/main.js", "scripts": {"build": "tsc", "start": "node dist/main.js"}}
    outer = {"name": "rpa-template", "version": "1.0.0", "bin": {"rpa-template": "cli.js"}}
    write(
        folder,
        {
            "package.json": json.dumps(outer),
            "package-lock.json": json.dumps({"name": "rpa-template", "lockfileVersion": 3, "packages": {}}),
            "cli.js": "#!/usr/bin/env node\nconsole.log('copies template/');\n",
            "template/package.json": json.dumps(inner | {"devDependencies": {"typescript": "^5.0.0"}}),
            "template/tsconfig.json": json.dumps({"compilerOptions": {"outDir": "dist", "rootDir": "src"}}),
            "template/src/main.ts": "console.log('olá');\n",
            "template/.env": "KEY=value\n",
        },
    )


def javascript_playwright(folder: Path) -> None:
    """A Node.js bot whose only dependency stands in devDependencies, without a lock file."""
    package = {"name": "bot-nodejs", "version": "1.0.0", "scripts": {"start": "node app.js"}}
    package["devDependencies"] = {"@playwright/test": "^1.30.0"}  # type: ignore[assignment]
    write(folder, {"package.json": json.dumps(package), "app.js": "const { chromium } = require('playwright');\n", "readme.md": "x\n"})


def javascript_plain(folder: Path) -> None:
    """A Node.js bot without any dependency, started by npm start."""
    package = {"name": "bot-plain", "version": "2.1.0", "scripts": {"start": "node app.js"}}
    write(folder, {"package.json": json.dumps(package), "app.js": "console.log('olá', process.argv.length - 2);\n"})


def next_application(folder: Path) -> None:
    """A Next.js application: no bot, though it is called so."""
    package = {"name": "botcity", "version": "0.1.0", "scripts": {"dev": "next dev", "build": "next build", "start": "next start"}}
    package["dependencies"] = {"next": "14.0.0", "react": "18.0.0"}  # type: ignore[assignment]
    write(folder, {"package.json": json.dumps(package), "app/page.js": "export default () => null;\n", "app/[id]/route.js": "x;\n", "jsconfig.json": "{}\n"})


def only_a_package(folder: Path) -> None:
    """A repository that holds a zip and a README."""
    write(folder, {"README.md": "x\n", "maestro.zip": zipped({"bot.py": "print(1)\n"}), ".git/HEAD": ""})


JAVA = """package br.com.main;

public class FirstBot {
    public static void main(String[] args) {
        System.out.println("olá " + args.length);
    }
}
"""
POM = """<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>br.com</groupId>
  <artifactId>FirstBot</artifactId>
  <version>1.0</version>
  <properties><maven.compiler.release>11</maven.compiler.release></properties>
  <build><plugins><plugin>
    <artifactId>maven-assembly-plugin</artifactId>
    <version>2.6</version>
    <configuration>
      <appendAssemblyId>false</appendAssemblyId>
      <descriptorRefs><descriptorRef>jar-with-dependencies</descriptorRef></descriptorRefs>
      <archive><manifest><mainClass>br.com.main.FirstBot</mainClass></manifest></archive>
    </configuration>
    <executions><execution><phase>package</phase><goals><goal>single</goal></goals></execution></executions>
  </plugin></plugins></build>
</project>
"""

SHAPES: dict[str, Callable[[Path], None]] = {
    "py-new": py_new,
    "py-old": py_old,
    "py-main": py_main,
    "py-subfolder": py_subfolder,
    "py-many": py_many,
    "py-in-environment": py_in_environment,
    "py-environment-beside": py_environment_beside,
    "py-utf16": py_utf16,
    "py-powershell": py_powershell,
    "py-local-botcity": py_local_botcity,
    "py-accents": py_accents,
    "py-names": py_names,
    "py-twice": py_twice,
    "py-careless": py_careless,
    "py-template": py_template,
    "robocorp": robocorp,
    "java-assembly": java_assembly,
    "java-libraries": java_libraries,
    "typescript-template": typescript_template,
    "javascript-playwright": javascript_playwright,
    "javascript-plain": javascript_plain,
    "next-application": next_application,
    "only-a-package": only_a_package,
}

BOTS: dict[str, list[str]] = {
    **{name: ["."] for name in SHAPES},
    "py-subfolder": ["botPython"],
    "py-many": ["api_metropole", "bot_eleitor", "bot_pdf_excel", "bot_web_pdf", "clima_manaus", "desafio07"],
    "py-environment-beside": ["cadastrar_funcionario", "init_work"],
    "py-accents": ["Desafios/Desafio 04 - Integração (v1) & [x]"],
    "py-twice": ["exercicio_2/bot_produto", "exercicio_4/bot_produto"],
    "py-template": [],
    "typescript-template": ["template"],
    "next-application": [],
    "only-a-package": [],
}
