"""Golden rows of result files: announce, upload, list, download."""

import base64
import hashlib
import io
from collections.abc import Callable
from typing import Any

import pytest

from bottool import wire

ARTIFACT = {
    "id": "<int as artifact>",
    "type": "<words>",
    "taskId": "{task}",
    "taskName": "<words>",
    "name": "report.csv",
    "fileName": "report.csv",
    "storageFileName": "<text>",
    "storageFilePath": "<text>",
    "organizationId": "<int>",
    "userId": "<int>",
    "user": None,
    "dateCreation": "<date>",
}


@pytest.fixture
def announced(golden: Any, daily: wire.Automation) -> Callable[..., None]:
    """``announced("a.txt")``: a task, once, and an artifact of it as the Python SDK announces one."""

    def announce(name: str = "report.csv") -> None:
        if "task" not in golden.kept:
            golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})
        golden(
            "POST",
            "/artifact",
            json={"taskId": "{task}", "name": name, "filename": name},
            reply={**ARTIFACT, "name": name, "fileName": name},
        )

    return announce


def test_a_file_is_announced_as_each_sdk_does(golden: Any, daily: wire.Automation) -> None:
    golden("POST", "/task", json={"activityLabel": "daily"}, reply={"id": "<int as task>"})

    sent = {"taskId": "{task}", "name": "report.csv", "filename": "report.csv"}
    golden("POST", "/artifact", json=sent, reply=ARTIFACT)
    golden("POST", "/artifact", client="javascript", json={**sent, "object": {"a": 1}}, reply=ARTIFACT)
    for path in ("C:\\bots\\out\\report.csv", "/home/bot/out/report.csv"):
        golden("POST", "/artifact", client="csharp", json={**sent, "filename": path}, reply=ARTIFACT)


@pytest.mark.parametrize(
    "part",
    ['name="file"; filename="report.csv"', "name=file; filename=report.csv", "name=file; filename*=utf-8''a%C3%A7.csv"],
)
def test_a_file_is_uploaded_however_its_part_is_spelt(golden: Any, announced: Callable[..., None], part: str) -> None:
    announced()
    body = f"--golden\r\nContent-Disposition: form-data; {part}\r\nContent-Type: text/csv\r\n\r\na,b\r\n1,2\r\n"
    headers = {"Content-Type": 'multipart/form-data; boundary="golden"'}

    golden(
        "POST",
        "/artifact/log/{artifact}",
        client="csharp",
        data=io.BytesIO(f"{body}\r\n--golden--\r\n".encode()),
        headers=headers,
        reply="<any?>",
    )

    golden("GET", "/artifact/{artifact}/file", client="csharp", reply=b"a,b\r\n1,2\r\n")
    golden("GET", "/artifact/{artifact}", client="csharp", reply=ARTIFACT)


@pytest.mark.parametrize("content", [b"", b"\r\n", b"--golde", b"\r\n--golden\n", bytes(range(256)) * 5000])
def test_every_byte_comes_back(golden: Any, announced: Callable[..., None], content: bytes) -> None:
    announced("bytes.bin")
    golden.upload("/artifact/log/{artifact}", content if b"--golden\n" not in content else b"x" + content[:4])

    answer = golden("GET", "/artifact/{artifact}/file", reply=content if b"--golden\n" not in content else b"x\r\n--")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    digest = base64.b64encode(hashlib.sha256(answer.data).digest()).decode()
    assert answer.headers["Digest"] == f"sha-256={digest}"
    assert answer.headers["Repr-Digest"] == f"sha-256=:{digest}:"


def test_a_name_beyond_ascii_comes_back_as_rfc_6266_says(golden: Any, announced: Callable[..., None]) -> None:
    announced("relatório final.txt")
    golden.upload("/artifact/log/{artifact}", b"ol\xc3\xa1", name='"relat?rio.txt"')

    answer = golden("GET", "/artifact/{artifact}/file", reply="olá".encode())

    assert "filename*=UTF-8''relat%C3%B3rio%20final.txt" in answer.headers["Content-Disposition"]


def test_an_upload_that_is_repeated_replaces_and_one_that_breaks_off_does_not(
    golden: Any, announced: Callable[..., None]
) -> None:
    announced()
    for content in (b"first", b"first", b"second"):
        golden.upload("/artifact/log/{artifact}", content)
        golden("GET", "/artifact/{artifact}/file", reply=content)

    broken = b'--golden\r\nContent-Disposition: form-data; name="file"; filename="r"\r\n\r\nhalf of it'
    golden.error(
        "POST",
        "/artifact/log/{artifact}",
        400,
        data=io.BytesIO(broken),
        headers={"Content-Type": "multipart/form-data; boundary=golden"},
    )

    golden("GET", "/artifact/{artifact}/file", reply=b"second")


def test_files_are_listed_by_pages_as_the_sdks_walk_them(
    golden: Any, announced: Callable[..., None], clock: Any, workspace: Any
) -> None:
    announced("old.txt")
    clock.advance(8 * 86400)
    golden(
        "POST",
        "/workspace/login",
        client="java",
        json={"login": workspace.login, "key": workspace.key},
        reply={"accessToken": "<words as token>"},
    )
    golden.token = golden.kept["token"]
    for number in range(7):
        announced(f"{number}.txt")

    newest = [{"fileName": f"{number}.txt", "id": "<int>"} for number in range(6, -1, -1)]
    page = {"content": newest[:5], "totalPages": 2, "totalElements": 7, "last": False, "number": 0, "size": 5}
    golden("GET", "/artifact?size=5&page=0&sort=dateCreation,desc&days=7", reply=page)
    golden("GET", "/artifact?size=5&page=1&sort=dateCreation,desc&days=7", reply={"content": newest[5:], "last": True})
    golden("GET", "/artifact?size=5&page=9&sort=&days=7", client="javascript", reply={"content": [], "totalPages": 2})
    golden("GET", "/artifact?size=5&page=0", client="csharp", reply={"totalElements": 7})
    golden("GET", "/artifact?days=30&sort=name,asc&size=2", reply={"content": newest[:-3:-1], "totalElements": 8})
    golden("GET", "/artifact?taskId={task}&days=30", client="shell", reply={"totalElements": 8})
    golden("GET", "/artifact?taskId=999", client="shell", reply={"content": [], "totalElements": 0, "totalPages": 0})


def test_a_part_of_a_file_and_one_that_is_known_already(golden: Any, announced: Callable[..., None]) -> None:
    announced()
    golden.upload("/artifact/log/{artifact}", b"0123456789")
    whole = golden("GET", "/artifact/{artifact}/file", reply=b"0123456789")

    part = golden("GET", "/artifact/{artifact}/file", status=206, headers={"Range": "bytes=3-5"}, reply=b"345")
    golden("GET", "/artifact/{artifact}/file", status=304, headers={"If-None-Match": whole.headers["ETag"]})
    golden("GET", "/artifact/{artifact}/file", status=416, headers={"Range": "bytes=50-"})

    assert part.headers["Content-Range"] == "bytes 3-5/10"


@pytest.mark.parametrize(
    ("row", "status"),
    [
        (("POST", "/artifact", {"name": "a", "filename": "a"}), 422),
        (("POST", "/artifact", {"taskId": "x", "name": "a", "filename": "a"}), 422),
        (("POST", "/artifact", {"taskId": 999, "name": "a", "filename": "a"}), 404),
        (("POST", "/artifact", {"taskId": 10**30, "name": "a", "filename": "a"}), 422),
        (("POST", "/artifact", {"taskId": 1, "name": {"a": 1}, "filename": "a"}), 422),
        (("POST", "/artifact", {"taskId": 1, "name": "a" * 10**6, "filename": "a"}), 422),
        (("POST", "/artifact", {"taskId": 1, "name": "", "filename": "../"}), 422),
        (("POST", "/artifact/log/999", None), 404),
        (("GET", "/artifact/999", None), 404),
        (("GET", "/artifact/999/file", None), 404),
        (("GET", "/artifact?sort=nothing", None), 422),
        (("GET", "/artifact?days=x", None), 422),
    ],
)
def test_what_makes_no_sense_is_told(golden: Any, row: tuple[str, str, Any], status: int) -> None:
    method, path, sent = row
    if path.startswith("/artifact/log"):
        golden.upload(path, b"x", status=status, reply={"message": "<words>"})
    else:
        golden.error(method, path, status, json=sent)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=other"},
    ],
)
def test_an_upload_without_its_part_is_told(
    golden: Any, announced: Callable[..., None], headers: dict[str, str]
) -> None:
    announced()
    part = b'--golden\r\nContent-Disposition: form-data; name="other"; filename="r"\r\n\r\nx\r\n--golden--\r\n'

    golden.error("POST", "/artifact/log/{artifact}", 400, data=io.BytesIO(part), headers=headers)
    golden.upload("/artifact/log/{artifact}", b"x", part="name=other", status=422, reply={"message": "<words>"})
    golden.error("GET", "/artifact/{artifact}/file", 404)
