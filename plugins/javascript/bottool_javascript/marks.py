"""The file by which a folder is known as a project of npm. By itself, so that whoever only asks that loads little."""

PACKAGE_JSON = "package.json"
