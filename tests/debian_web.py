"""Web servers as agencies have them: Debian's Apache, nginx and lighttpd, listing a folder on loopback."""

from __future__ import annotations

import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import free_port

STARTS_WITHIN_S = 20
MODULES = Path("/usr/lib/apache2/modules")

APACHE = """
ServerRoot {run}
PidFile {run}/pid
ErrorLog {run}/log
Listen 127.0.0.1:{port}
ServerName 127.0.0.1
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule autoindex_module {modules}/mod_autoindex.so
DocumentRoot {root}
<Directory {root}>
    Options +Indexes
    IndexOptions FancyIndexing Charset=UTF-8
    Require all granted
</Directory>
"""
NGINX = """
daemon off;
pid {run}/pid;
error_log {run}/log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
    server {{ listen 127.0.0.1:{port}; root {root}; autoindex on; charset utf-8; }}
}}
"""
LIGHTTPD = """
server.bind = "127.0.0.1"
server.port = {port}
server.document-root = "{root}"
server.errorlog = "{run}/log"
server.modules = ( "mod_dirlisting" )
dir-listing.activate = "enable"
dir-listing.encoding = "utf-8"
"""
SERVERS = {
    "apache": ("/usr/sbin/apache2", APACHE, ["-X", "-f"]),
    "nginx": ("/usr/sbin/nginx", NGINX, ["-c"]),
    "lighttpd": ("/usr/sbin/lighttpd", LIGHTTPD, ["-D", "-f"]),
}


def is_there(name: str) -> bool:
    return Path(SERVERS[name][0]).exists()


@contextmanager
def listing(name: str, root: Path, run: Path) -> Iterator[str]:
    """The address at which that server lists `root` for the block; `run` is a folder for what it keeps."""
    program, config, options = SERVERS[name]
    port = free_port()
    file = run / "config"
    file.write_text(config.format(port=port, root=root, run=run, modules=MODULES))
    with (run / "said").open("wb") as said:
        server = subprocess.Popen([program, *options, str(file)], stdout=said, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + STARTS_WITHIN_S
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{name} did not start: {(run / 'said').read_text()}")
            time.sleep(0.05)
        yield url
    finally:
        server.terminate()
        server.wait(STARTS_WITHIN_S)
        shutil.rmtree(run, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False
