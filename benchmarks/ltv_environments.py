"""Each peer in an environment of its own, outside the checkout, so that no version of ours stands in its way."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

# pandas 3 breaks parts of lifetimes, whose last release is of 2020
PEERS = {
    "lifetimes": ("lifetimes==0.11.3", "pandas<3", "sqlalchemy>=2,<3", "psycopg[binary]>=3.3,<3.4"),
    "pymc-marketing": ("pymc-marketing==0.19.2",),
}


def interpreter(peer: str) -> Path:
    """The peer's Python, installed the first time it is asked for."""
    wanted = PEERS[peer]
    mark = hashlib.sha256("\n".join([sys.version, *wanted]).encode()).hexdigest()[:12]
    folder = cache() / f"{peer}-{mark}"
    python, done = folder / "bin" / "python", folder / "installed"
    if not done.exists():
        print(f"Installing {' '.join(wanted)} into {folder} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted]
        subprocess.run(install, check=True)
        done.touch()
    return python


def cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mini-crm" / "peers"
