"""Serve a folder on this machine alone: for `make book`, and for the browser tests."""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import http.server
import io
import threading
from collections.abc import Iterator
from pathlib import Path

# What GitHub Pages compresses on the way; pictures and fonts are compressed already.
COMPRESSIBLE = {".css", ".html", ".js", ".json", ".svg", ".txt", ".xml"}


@functools.lru_cache(maxsize=256)
def compressed(path: Path, changed: int) -> bytes:
    """A file as it travels; `changed` is the time of its last change, so that a new one is read."""
    return gzip.compress(path.read_bytes(), 6, mtime=0)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files without a log line each, always fresh: a rebuilt page shows after a reload.

    As on GitHub Pages, text travels compressed, connections stay open, and an address that leads
    nowhere is answered with 404.html.
    """

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass

    def send_body(self, status: int, body: bytes, kind: str, coding: str = "") -> io.BytesIO:
        """Send the head of an answer that is at hand; what is to follow it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if coding:
            self.send_header("Content-Encoding", coding)
            self.send_header("Vary", "Accept-Encoding")
        self.end_headers()
        return io.BytesIO(body)

    def send_head(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.split("?")[0].endswith("/"):
            path = path / "index.html"
        if not path.is_file():
            lost = Path(self.directory) / "404.html"
            if not path.exists() and lost.is_file():
                return self.send_body(404, lost.read_bytes(), "text/html; charset=utf-8")
            return super().send_head()
        if path.suffix in COMPRESSIBLE and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = compressed(path, path.stat().st_mtime_ns)
            kind = self.guess_type(str(path))
            kind += "; charset=utf-8" if kind.startswith("text/") else ""
            return self.send_body(200, body, kind, "gzip")
        return super().send_head()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()


def server(folder: Path, port: int) -> http.server.ThreadingHTTPServer:
    handler = functools.partial(Handler, directory=str(folder))
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve `folder` on a free port while the block runs; gives the address."""
    httpd = server(folder, 0)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
    finally:
        httpd.shutdown()
        httpd.server_close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--at", default="", help="the page whose address is printed")
    options = parser.parse_args()
    for port in [*range(options.port, options.port + 20), 0]:
        with contextlib.suppress(OSError):
            httpd = server(options.folder, port)
            break
    address = f"http://127.0.0.1:{httpd.server_address[1]}/{options.at}"
    print(f"{'The slides' if options.at else 'The book'}: {address}  (Ctrl+C stops it)", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        httpd.serve_forever()
    print()


if __name__ == "__main__":
    main()
