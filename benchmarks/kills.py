"""Whether saved means saved: `python benchmarks/kills.py --kills 200 --every-call --faults`.

Kills a program that saves, relabels, trashes and brings back photos, at random moments and, by
strace, at every system call of each of these; and lets every call of the disk fail with ENOSPC and
EIO. Counts what was told as done and is lost, torn or doubled: it must be nothing. Ends with 1
where it is not.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.collector.kills import (
    ACTIONS,
    REFUSABLE,
    can_trace,
    find_losses,
    kill_at,
    kill_at_random,
    list_calls,
    refuse_at,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20, help="at random moments (default: 20)")
    parser.add_argument("--every-call", action="store_true", help="kill at every system call")
    parser.add_argument("--faults", action="store_true", help="ENOSPC and EIO at every call")
    arguments = parser.parse_args()
    losses: list[str] = []
    figures: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if (arguments.every_call or arguments.faults) and not can_trace(folder):
            print("Needs strace, and leave to trace.", file=sys.stderr)
            return 5
        figures["random kills"] = _kill_at_random(folder, arguments.kills, losses)
        if arguments.every_call:
            figures["kills at calls"] = _kill_at_calls(folder, losses)
        if arguments.faults:
            figures["faults"] = _refuse_calls(folder, losses)
    print(json.dumps({**figures, "lost": len(losses), "losses": losses[:20]}))
    return 1 if losses else 0


def _kill_at_random(folder: Path, count: int, losses: list[str]) -> dict[str, object]:
    chance = random.Random(time.time_ns())
    delays = [chance.uniform(0, 0.4) for _ in range(count)]

    def kill(number: int) -> int:
        root = folder / f"random{number}"
        told = kill_at_random(root, number, delays[number])
        losses.extend(f"kill {number}: {loss}" for loss in find_losses(root, told))
        return told.done

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(kill, range(count)))
    return {"kills": count, "actions told as done": sum(done)}


def _kill_at_calls(folder: Path, losses: list[str]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for action in ACTIONS:
        calls = list_calls(folder, action)
        for number, call in enumerate(calls):
            root = folder / f"{action}{number}"
            told = kill_at(root, action, call)
            losses.extend(f"{action} {call}: {loss}" for loss in find_losses(root, told))
        figures[action] = len(calls)
    return figures


def _refuse_calls(folder: Path, losses: list[str]) -> dict[str, object]:
    figures: dict[str, object] = {}
    for action in ACTIONS:
        calls = [c for c in list_calls(folder, action) if c.name in REFUSABLE and not c.is_telling]
        for error in ("ENOSPC", "EIO"):
            refused = passed = 0
            for number, call in enumerate(calls):
                root = folder / f"{action}{error}{number}"
                told = refuse_at(root, action, call, error)
                losses += [f"{action} {error} {call}: {x}" for x in find_losses(root, told)]
                refused += bool(told.refused)
                passed += not told.refused
            figures[f"{action}, {error}"] = {"refused": refused, "passed": passed}
    return figures


if __name__ == "__main__":
    sys.exit(main())
