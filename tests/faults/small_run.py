"""A front over the small supervisor: says "up", then stays until it is stopped. Arguments: checkout, detach or stay."""

import sys
from pathlib import Path

from launcher import front, settings
from launcher.checkout import AlreadyRunning, Checkout

SUPERVISOR = str(Path(__file__).with_name("small_supervisor.py"))


def main():
    checkout = Checkout(Path(sys.argv[1]))
    chosen = settings.choose(("p02",), 1.0, 7, 2)
    try:
        with front.started(checkout, chosen, may_stay=True, supervisor=(SUPERVISOR,)) as run:
            for _ in run.until_up():
                pass
            print("up", run.process.pid, flush=True)
            run.on_death = lambda news: print(news["component"], news["reason"], flush=True)
            if sys.argv[2] == "detach":
                run.detach()
                return 0
            while True:
                run.hear(1.0)
    except AlreadyRunning:
        return 1
    except front.RunFailed as failure:
        print(failure, flush=True)
        return 3
    except front.Interrupted:
        return 130


sys.exit(main())
