"""The packages of a library that is compared with: an environment of its own, made from its lock when it is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

HOUSE = Path(__file__).parents[3]
OURS = {"sakuga", "arq"}  # what runs among our own packages


def lock_of(library: str) -> Path:
    """Return the file with the versions and hashes of a library and all that it needs."""
    return HOUSE / "requirements" / f"peers-{library}.txt"


def python_of(library: str) -> Path:
    """Return the Python that can import a library. The first time this takes seconds and asks the package index."""
    if library in OURS:
        return Path(sys.executable)
    lock, folder = lock_of(library), HOUSE / ".venv-peers" / library
    python, stamp = folder / "bin" / "python", folder / "lock.txt"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        print(f"installing what {lock.relative_to(HOUSE)} locks", file=sys.stderr)
        beside = Path(sys.executable).with_name("uv")
        uv = str(beside if beside.exists() else shutil.which("uv"))
        subprocess.run([uv, "venv", "-q", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([uv, "pip", "install", "-q", "--python", python, "--require-hashes", "-r", lock], check=True)
        stamp.write_bytes(lock.read_bytes())
    return python
