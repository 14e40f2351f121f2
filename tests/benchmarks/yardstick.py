"""The yardstick: nginx in the service's place, much faster than any client.

It answers what the benchmarks ask: tokens, metadata, pictures of three sizes (the small
one under `MANY` further names), and uploads. `return 204` would answer an upload before
its body has been read, and flatter every client. So an upload is passed on to a second
server block inside the same nginx, which nginx does only when it holds the whole body;
`X-Received` tells how many bytes (line and headers included) it has read of the request
by then.
"""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

MB = 1024 * 1024
COMPANY = "00000000-0000-0000-0000-000000000001"
SMALL = "00000000-0000-0000-0000-000000000020"
LARGE = "00000000-0000-0000-0000-000000000100"
HUGE = "00000000-0000-0000-0000-000000000300"
MANY = [f"00000000-0000-0000-0020-{number:012}" for number in range(1000)]
SIZES = {SMALL: 20 * 1024, LARGE: 100 * MB, HUGE: 300 * MB}

TOKEN = json.dumps({"token_type": "Bearer", "expires_in": 3600, "access_token": "t"})
METADATA = json.dumps({"@odata.etag": 'W/"1"', "id": SMALL, "width": 9, "height": 9})

CONFIG = """
daemon off;
{user}
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=10;
    keepalive_requests 100000000;
    keepalive_timeout 300;
    client_max_body_size 400m;
    client_body_buffer_size 1m;
    client_body_temp_path {folder}/bodies;
    client_body_in_file_only {kept};
    proxy_temp_path {folder}/proxied;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;

    upstream inner {{ server unix:{folder}/inner; keepalive 64; }}
    server {{
        listen unix:{folder}/inner;
        return 204;
    }}
    server {{
        listen 127.0.0.1:{port};
        location ~ /oauth2/v2\\.0/token$ {{
            default_type application/json;
            return 200 '{token}';
        }}
        location ~ /picture$ {{
            default_type application/json;
            return 200 '{metadata}';
        }}
        location ~ /items\\([-0-9]+-0020-[0-9]+\\)/picture/pictureContent$ {{
            if ($request_method = PATCH) {{ rewrite ^ /read last; }}
            default_type application/octet-stream;
            alias {folder}/pictures/{small};
        }}
        location ~ /items\\((?<item>[-0-9]+)\\)/picture/pictureContent$ {{
            if ($request_method = PATCH) {{ rewrite ^ /read last; }}
            default_type application/octet-stream;
            alias {folder}/pictures/$item;
        }}
        location = /read {{
            internal;
            proxy_pass http://inner;
            proxy_http_version 1.1;
            proxy_method GET;
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Connection "";
            proxy_set_header Content-Length "";
            add_header X-Received $request_length always;
        }}
    }}
}}
"""


class NoNginxError(RuntimeError):
    """There is no nginx on this machine."""

    def __str__(self) -> str:
        return "nginx is not installed. On Debian: apt-get install nginx-light"


@attrs.frozen
class Yardstick:
    """A running nginx."""

    port: int
    """On loopback."""

    pid: int
    """Of the nginx that owns the worker."""

    folder: Path
    """Where it works: `pictures`, and `bodies` if they are kept."""

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        """Address of the API."""
        return f"{self.origin}/v2.0/Production/api/v2.0"

    @property
    def token_url(self) -> str:
        """Address of the token endpoint."""
        return f"{self.origin}/yardstick/oauth2/v2.0/token"

    def content(self, item: str) -> str:
        """Address of an item's picture."""
        return f"{self.base}/companies({COMPANY})/items({item})/picture/pictureContent"


def find_nginx() -> str:
    """The path of nginx, which Debian keeps off a user's PATH."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    found = shutil.which("nginx", path=path)
    if found is None:
        raise NoNginxError
    return found


def free_port() -> int:
    """A port that nobody listens on, a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def write_pictures(folder: Path, sizes: dict[str, int]) -> None:
    """Make the pictures: nobody looks at them, but they are no zeros either."""
    folder.mkdir()
    megabyte = random.Random(0).randbytes(MB)
    for item, size in sizes.items():
        with (folder / item).open("wb") as file:
            for start in range(0, size, MB):
                file.write(megabyte[: min(MB, size - start)])


def await_port(port: int, process: subprocess.Popen[bytes], errors: Path) -> None:
    """Return when nginx answers; raise if it ends, or takes ten seconds."""
    for _ in range(1000):
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise RuntimeError(f"nginx does not start: {errors.read_text(encoding='utf-8')}")


@contextlib.contextmanager
def yardstick(*items: str, keep: bool = False) -> Iterator[Yardstick]:
    """Run nginx with the pictures of *items* (all of them unless given).

    With *keep* it leaves every upload in a file, for whoever removes it.
    """
    program = find_nginx()
    with tempfile.TemporaryDirectory(prefix="yardstick-") as name:
        folder = Path(name)
        write_pictures(folder / "pictures", {it: SIZES[it] for it in items or SIZES})
        port = free_port()
        config = CONFIG.format(
            folder=folder,
            port=port,
            token=TOKEN,
            small=SMALL,
            metadata=METADATA.replace("\\", r"\\"),
            kept="on" if keep else "off",
            user="user root root;" if os.geteuid() == 0 else "",
        )
        (folder / "config").write_text(config, encoding="utf-8")
        command = [program, "-p", name, "-c", f"{name}/config", "-e", f"{name}/errors"]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        try:
            await_port(port, process, folder / "errors")
            yield Yardstick(port, process.pid, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), yardstick() as server:
        print(server.base)
        signal.pause()
    sys.exit(0)
