"""Serve a folder on this machine alone: for `make book`, and for the browser tests."""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files without a log line each, always fresh: a rebuilt page shows after a reload."""

    def log_message(self, format: str, *args: object) -> None:
        pass

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
