"""A component as nasty as real ones: a deaf child in a session of its own, an orphaned grandchild, a faithful child."""

import os
import signal
import sys
import time
from pathlib import Path


def linger():
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if os.fork() == 0:
        time.sleep(300)
        os._exit(0)
    os._exit(0)  # its child is an orphan now


if os.fork() == 0:
    linger()
if os.fork() == 0:
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(300)
    os._exit(0)
if os.fork() == 0:
    time.sleep(300)
    os._exit(0)
Path(sys.argv[1]).touch()
time.sleep(300)
