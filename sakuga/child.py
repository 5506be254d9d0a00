"""`python -m sakuga.child MODULE`: runs a process of the studio, and ends it when its supervisor is gone.

The supervisor keeps the other end of standard input open. When it dies, however that is, the input ends.
"""

import os
import runpy
import signal
import sys
import threading


def _end_with_the_supervisor() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_supervisor, daemon=True, name="supervisor").start()
    module = sys.argv.pop(1)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
