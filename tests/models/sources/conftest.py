"""A package index and a model hub on this machine, that serve real HTTP and misbehave on request."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SHA = "0123456789abcdef0123456789abcdef01234567"


class Server:
    """What is served, how it misbehaves, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}  # of the index, by file name
        self.repos: dict[str, dict[str, bytes]] = {}  # of the hub, by repository, then by file name
        self.digests: dict[str, str] = {}  # told on the project page instead of the true ones
        self.json_pages = True
        self.ranges = True  # whether a part of a file can be asked for
        self.cut_after: list[int] = []  # bytes to send before the connection breaks, one entry a file request
        self.lengths = True  # whether Content-Length is told
        self.status: dict[str, tuple[int, dict[str, str]]] = {}  # path prefix -> status and headers to answer instead
        self.hold: dict[str, threading.Event] = {}  # path prefix -> what the answer waits for
        self.asked: list[str] = []  # "GET /path", "GET /path bytes=5-"
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Handler,), {"server_state": self}))
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.endpoint = f"{self.url}/simple/"

    def downloads(self) -> list[str]:
        """The requests for a file of the index, ranges shown."""
        return [line.split("/files/")[1] for line in self.asked if line.startswith("GET /files/")]


class Handler(BaseHTTPRequestHandler):
    server_state: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, status: int, headers: dict[str, str], body: bytes = b"", sent: bytes | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.server_state.lengths or self.command == "HEAD":
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body if sent is None else sent)
        self.close_connection = True

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        state, path = self.server_state, self.path.split("?")[0]
        state.asked.append(" ".join(filter(None, [self.command, path, self.headers.get("Range")])))
        for prefix, event in state.hold.items():
            if path.startswith(prefix):
                event.wait(20)
        for prefix, (status, headers) in state.status.items():
            if path.startswith(prefix):
                return self.answer(status, headers)
        if match := re.fullmatch(r"/simple/([^/]+)/", path):
            return self.project_page(match[1])
        if path.startswith("/files/") and (body := state.files.get(path.removeprefix("/files/"))) is not None:
            return self.file(body)
        return self.hub(path)

    def project_page(self, project: str) -> None:
        state = self.server_state
        files = {name: state.digests.get(name, hashlib.sha256(body).hexdigest()) for name, body in state.files.items()}
        if state.json_pages:
            listed = [{"filename": name, "url": f"/files/{name}", "hashes": {"sha256": digest}} for name, digest in files.items()]
            page = json.dumps({"meta": {"api-version": "1.0"}, "name": project, "files": listed})
            return self.answer(200, {"Content-Type": "application/vnd.pypi.simple.v1+json"}, page.encode())
        links = "".join(f'<a href="../../files/{name}#sha256={digest}">{name}</a>' for name, digest in files.items())
        return self.answer(200, {"Content-Type": "text/html"}, f"<!DOCTYPE html><html><body>{links}</body></html>".encode())

    def file(self, body: bytes, headers: dict[str, str] | None = None) -> None:
        state, headers, status = self.server_state, dict(headers or {}), 200
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked and state.ranges:
            start, whole = int(asked[1]), len(body)
            if start >= whole:
                return self.answer(416, {"Content-Range": f"bytes */{whole}"})
            status, body = 206, body[start:]
            headers["Content-Range"] = f"bytes {start}-{whole - 1}/{whole}"
        sent = body[: state.cut_after.pop(0)] if state.cut_after and self.command == "GET" else body
        return self.answer(status, headers, body, sent)

    def hub(self, path: str) -> None:
        repos = self.server_state.repos
        for repo, files in repos.items():
            if path.startswith(f"/api/models/{repo}/tree/"):
                listed = [{"type": "file", "path": name, "size": len(body), "oid": _blob(body)} for name, body in files.items()]
                return self.answer(200, {"Content-Type": "application/json"}, json.dumps(listed).encode())
            if path.startswith(f"/api/models/{repo}"):
                siblings = [{"rfilename": name, "size": len(body), "blobId": _blob(body)} for name, body in files.items()]
                info = {"id": repo, "modelId": repo, "sha": SHA, "siblings": siblings}
                return self.answer(200, {"Content-Type": "application/json"}, json.dumps(info).encode())
            if (prefix := f"/{repo}/resolve/{SHA}/") and path.startswith(prefix) and path.removeprefix(prefix) in files:
                body = files[path.removeprefix(prefix)]
                return self.file(body, {"ETag": f'"{_blob(body)}"', "X-Repo-Commit": SHA})
        return self.answer(404, {"X-Error-Code": "RepoNotFound"})


def _blob(body: bytes) -> str:
    return hashlib.sha1(body).hexdigest()


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()
    thread = threading.Thread(target=state.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield state
    for event in state.hold.values():
        event.set()
    state.http.shutdown()
    state.http.server_close()
    thread.join()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of this project."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("TRANSFORMER_PLAYGROUND_CACHE", str(folder))
    return folder
