"""Where the house stands, and what lies in it: the files that git knows, or would take."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(*patterns: str) -> list[Path]:
    """Return the files of the house, those that are new and not ignored included, in a checkout and outside of one."""
    asked = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in sorted(set(listed.split("\0"))) if name and (path := ROOT / name).is_file()]


def python(*rooms: str) -> list[Path]:
    """Return the Python files of these rooms."""
    return [path for path in tracked(*(rooms or ("bot", "tests"))) if path.suffix == ".py"]


def name_of(path: Path) -> str:
    """Return a path as people read it."""
    return path.relative_to(ROOT).as_posix()
