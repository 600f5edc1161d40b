"""An agency's SFTP server: one login, by password, that may read one folder and write nothing."""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
import threading
from pathlib import Path
from typing import Any, NoReturn

import asyncssh

USER = "transfer"
STARTS_WITHIN_S = 20


class FileServer:
    """Serves what lies in `root` as `/`, on a thread of its own; its key and its password are made anew each time."""

    def __init__(self, host: str, root: Path) -> None:
        logging.getLogger("asyncssh").setLevel(logging.WARNING)  # it tells of every session
        self._root = root
        self._password = secrets.token_urlsafe(24)
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="sftp", daemon=True)
        self._thread.start()
        self._listening = asyncio.run_coroutine_threadsafe(self._listen(host), self._loop).result(STARTS_WITHIN_S)

    async def _listen(self, host: str) -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            host, 0, server_factory=self._door, server_host_keys=[self._key], sftp_factory=self._files, allow_pty=False,
            agent_forwarding=False,
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """How to reach it, password included."""
        public = self._key.export_public_key().decode().strip()
        return {
            "port": self._listening.get_port(), "user": USER, "password": self._password, "host_key": public,
        }  # fmt: skip

    def stop(self) -> None:
        """Ends it and every session."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._listening.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _door(self) -> asyncssh.SSHServer:
        return _Door(self._password)

    def _files(self, channel: asyncssh.SSHServerChannel[bytes]) -> asyncssh.SFTPServer:
        return _ReadOnly(channel, chroot=bytes(self._root))


class _Door(asyncssh.SSHServer):
    def __init__(self, password: str) -> None:
        self._password = password

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return username == USER and hmac.compare_digest(password.encode(), self._password.encode())


def _refused(*_: object) -> NoReturn:
    raise asyncssh.SFTPPermissionDenied("this login may read only")


class _ReadOnly(asyncssh.SFTPServer):
    """What would write is refused, as the rights of a login for reading would."""

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        return super().open(path, pflags, attrs) if pflags == asyncssh.FXF_READ else _refused()

    no: Any = staticmethod(_refused)
    open56 = mkdir = rmdir = remove = rename = posix_rename = setstat = lsetstat = fsetstat = link = symlink = no
