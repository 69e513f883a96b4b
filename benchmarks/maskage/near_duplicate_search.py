"""All pairs of 64-bit hashes within a Hamming radius: our search beside faiss and imagededup.

    python benchmarks/maskage/near_duplicate_search.py [--counts 3000 100000 1000000] [--radius 4]
        [--limit 120] [--threads 1] [--json]

A tenth of the hashes are copies of others with 0 to 6 bits flipped, the rest are random. Each
contender searches in a process of its own, which is ended after --limit seconds; the clock runs
from the hashes in the contender's own form to its answer in its own form. Memory is what the search
adds at its peak. Pairs are then compared with those of the exhaustive search, or with ours where
that is not finished in time. One thread each; --threads gives faiss more, the others have one
(imagededup's in a process of its own, counted in).

The contenders are optional: pip install faiss-cpu imagededup
"""

import argparse
import hashlib
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common.criteria import MISSED, REACHED, find_missed
from benchmarks.common.goals import NEAR_DUPLICATE_SEARCH

Hashes = NDArray[np.uint64]
Keys = NDArray[np.int64]
"""Pairs as sorted numbers, first << 32 | second, where first < second."""
COPIES = 0.1
FLIPS = 6


@dataclass(frozen=True)
class Contender:
    """One way to search.

    Attributes:
        prepare: Imports what it needs; gives the hashes in the contender's own form. Not timed.
        search: From that form and a radius to the contender's own answer. Timed.
        keys_of: The pairs of that answer. Not timed.
        module: What has to be installed, or None.
        package: What pip calls it.
    """

    prepare: Callable[[Hashes], Any]
    search: Callable[[Any, int], Any]
    keys_of: Callable[[Any], Keys]
    module: str | None = None
    package: str = ""


@dataclass(frozen=True)
class Row:
    """What one contender did with one number of hashes; no figures where `note` says why."""

    contender: str
    count: int
    radius: int
    wall_s: float | None = None
    cpu_s: float | None = None
    peak_mb: int | None = None
    pairs: int | None = None
    digest: str = ""
    note: str = ""


def main() -> int:
    """Print a table, or JSON lines; returns 3 where a contender's pairs are not the exact ones."""
    arguments = _parse()
    if arguments.contender:
        print(json.dumps(measure(arguments.contender, arguments.counts[0], arguments)))
        return 0
    if not arguments.json:
        threads = f"faiss on {arguments.threads} thread(s), the others on one"
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        print(f"radius {arguments.radius}, limit {arguments.limit} s, {threads}, {load}")
        print(f"{'hashes':>10}  {'contender':<22} {'wall s':>8} {'CPU s':>8} {'MB':>6}  pairs")
    before: dict[str, Row] = {}
    is_exact = True
    for count in sorted(arguments.counts):
        exact: Row | None = None
        for name in CONTENDERS:
            note = foresee(name, count, before.get(name), arguments.limit)
            row = Row(name, count, arguments.radius, note=note)
            if not note:
                row = run(row, arguments)
            if exact is None and row.digest:
                exact = row
            before[name] = row
            verdict = judge(row, exact)
            is_exact &= "not the exact" not in verdict
            print_row(row, verdict, arguments.json)
    missed = find_missed({"inexact": int(not is_exact)}, NEAR_DUPLICATE_SEARCH)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return MISSED if missed else REACHED


def foresee(name: str, count: int, before: Row | None, limit_s: int) -> str:
    """Why a contender need not be tried, or "": it is not here, or a smaller number told."""
    contender = CONTENDERS[name]
    if contender.module and find_spec(contender.module) is None:
        return f"not installed: pip install {contender.package}"
    if before is None:
        return ""
    if before.wall_s is None:
        has_reason = before.note.startswith("not tried")
        return before.note if has_reason else f"not tried: {before.note} for {before.count:,}"
    # No search grows slower than the number of hashes.
    if before.wall_s * count / before.count > limit_s:
        return f"not tried: took {before.wall_s:.0f} s for {before.count:,}"
    return ""


def run(row: Row, arguments: argparse.Namespace) -> Row:
    """Run one contender in a process of its own: the row with its figures."""
    command = [sys.executable, __file__, "--contender", row.contender, "--counts", str(row.count)]
    for option in ("radius", "limit", "threads", "seed"):
        command += [f"--{option}", str(getattr(arguments, option))]
    environment = os.environ | {"OMP_NUM_THREADS": str(arguments.threads)}
    # Files, not pipes: a worker that outlives its parent would hold a pipe open.
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdout=out, stderr=errors, env=environment, start_new_session=True
        )
        code = process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        out.seek(0)
        errors.seek(0)
        if code == -signal.SIGALRM:
            return replace(row, note=f"not finished within {arguments.limit} s")
        if code:
            reason = (errors.read().strip().splitlines() or [f"exit code {code}"])[-1]
            return replace(row, note=f"failed: {reason}")
        return replace(row, **json.loads(out.read().splitlines()[-1]))


def measure(name: str, count: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Search in this process: the figures of a `Row`."""
    contender = CONTENDERS[name]
    hashes = make_hashes(count, arguments.seed)
    prepared = contender.prepare(hashes)
    if contender.module == "faiss":
        import faiss

        faiss.omp_set_num_threads(arguments.threads)
    before_mb = peak_mb(resource.RUSAGE_SELF)
    # Nobody handles it: the signal ends the process, in the middle of compiled code too.
    signal.alarm(arguments.limit)
    started_s, started_cpu_s = time.perf_counter(), cpu_time_s()
    answer = contender.search(prepared, arguments.radius)
    wall_s, cpu_s = time.perf_counter() - started_s, cpu_time_s() - started_cpu_s
    signal.alarm(0)
    used_mb = peak_mb(resource.RUSAGE_SELF) - before_mb
    # A forked worker starts with what its parent had.
    used_mb += max(0, peak_mb(resource.RUSAGE_CHILDREN) - before_mb)
    keys = np.sort(contender.keys_of(answer))
    return {
        "wall_s": round(wall_s, 3),
        "cpu_s": round(cpu_s, 3),
        "peak_mb": round(used_mb),
        "pairs": len(keys),
        "digest": hashlib.sha256(keys.astype("<i8").tobytes()).hexdigest()[:16],
    }


def make_hashes(count: int, seed: int) -> Hashes:
    """Random hashes, of which a tenth are near copies of others, about four to an original."""
    rng = np.random.default_rng(seed)
    hashes = rng.integers(0, 2**64, count, dtype=np.uint64)
    copies = round(count * COPIES)
    hashes[:copies] = hashes[copies + rng.integers(0, max(1, copies // 4), copies)]
    flips = rng.integers(0, FLIPS + 1, copies)
    for flip in range(FLIPS):
        bits = np.uint64(1) << rng.integers(0, 64, copies, dtype=np.uint64)
        hashes[:copies] ^= np.where(flips > flip, bits, np.uint64(0))
    rng.shuffle(hashes)
    return hashes


def cpu_time_s() -> float:
    """Processor time of this process and of the workers it has waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def peak_mb(whose: int) -> float:
    """The most memory a process has held, in MB."""
    return resource.getrusage(whose).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def judge(row: Row, exact: Row | None) -> str:
    """Whether the pairs are those of the first contender that finished."""
    if not row.digest or exact is None:
        return row.note
    reference = "exhaustive search" if exact.contender == EXHAUSTIVE else exact.contender
    if row is exact:
        return "every pair compared" if row.contender == EXHAUSTIVE else "the reference here"
    return f"those of {reference}" if row.digest == exact.digest else "not the exact pairs"


def print_row(row: Row, verdict: str, as_json: bool) -> None:
    if as_json:
        figures = {name: value for name, value in asdict(row).items() if value not in (None, "")}
        line = json.dumps(figures | {"verdict": verdict})
    elif row.wall_s is None:
        line = f"{row.count:>10,}  {row.contender:<22} {verdict}"
    else:
        line = (
            f"{row.count:>10,}  {row.contender:<22} {row.wall_s:>8.3f} {row.cpu_s:>8.3f} "
            f"{row.peak_mb:>6,}  {row.pairs:,}: {verdict}"
        )
    print(line, flush=True)


def _pack(first: NDArray[Any], second: NDArray[Any]) -> Keys:
    keep = first < second
    return (first[keep].astype(np.int64) << 32) | second[keep].astype(np.int64)


def _search_ours(hashes: Hashes, radius: int) -> Any:
    from maskage.pictures.hamming import find_close_pairs

    return find_close_pairs(hashes, radius)


def _prepare_ours(hashes: Hashes) -> Hashes:
    _search_ours(hashes[:2], 0)  # Imports it.
    return hashes


def _search_exhaustively(hashes: Hashes, radius: int) -> list[Keys]:
    parts = []
    for start in range(0, len(hashes), 64):
        rest = hashes[start:]
        row, column = np.nonzero(np.bitwise_count(rest[:64, None] ^ rest[None]) <= radius)
        parts.append(_pack(row + start, column + start))
    return parts


def _prepare_faiss(hashes: Hashes) -> NDArray[np.uint8]:
    import faiss  # noqa: F401

    return hashes.view(np.uint8).reshape(-1, 8)


def _search_flat(codes: NDArray[np.uint8], radius: int) -> Any:
    import faiss

    index = faiss.IndexBinaryFlat(64)
    index.add(codes)
    # Its radius is the first distance too far.
    return index.range_search(codes, radius + 1)


def _search_multi_hash(codes: NDArray[np.uint8], radius: int) -> Any:
    import faiss

    # The fastest of those that find every pair, as measured at radius 4 with 3,000 to 300,000.
    index = faiss.IndexBinaryMultiHash(64, 3, 21)
    index.nflip = radius // 3
    index.add(codes)
    return index.range_search(codes, radius + 1)


def _keys_of_faiss(answer: Any) -> Keys:
    limits, _, found = answer
    asked = np.repeat(np.arange(len(limits) - 1), np.diff(limits.astype(np.int64)))
    return _pack(asked, found)


def _prepare_imagededup(hashes: Hashes) -> dict[str, str]:
    import imagededup.methods  # noqa: F401

    return {str(index): f"{value:016x}" for index, value in enumerate(hashes.tolist())}


def _imagededup(method: str) -> Callable[[dict[str, str], int], dict[str, list[str]]]:
    def search(encodings: dict[str, str], radius: int) -> dict[str, list[str]]:
        from imagededup.methods import PHash

        found: dict[str, list[str]] = PHash(verbose=False).find_duplicates(
            encoding_map=encodings,
            max_distance_threshold=radius,
            search_method=method,
            num_dist_workers=0,
        )
        return found

    return search


def _keys_of_imagededup(answer: dict[str, list[str]]) -> Keys:
    pairs = [(int(one), int(other)) for one, others in answer.items() for other in others]
    first, second = np.array(pairs, np.int64).reshape(-1, 2).T
    return _pack(first, second)


EXHAUSTIVE = "exhaustive, numpy"
CONTENDERS = {
    EXHAUSTIVE: Contender(lambda hashes: hashes, _search_exhaustively, np.concatenate),
    "ours": Contender(
        _prepare_ours, _search_ours, lambda answer: _pack(answer.first, answer.second)
    ),
    "faiss flat": Contender(_prepare_faiss, _search_flat, _keys_of_faiss, "faiss", "faiss-cpu"),
    "faiss multi-hash": Contender(
        _prepare_faiss, _search_multi_hash, _keys_of_faiss, "faiss", "faiss-cpu"
    ),
    "imagededup BK-tree": Contender(
        _prepare_imagededup, _imagededup("bktree"), _keys_of_imagededup, "imagededup", "imagededup"
    ),
    "imagededup brute force": Contender(
        _prepare_imagededup,
        _imagededup("brute_force_cython"),
        _keys_of_imagededup,
        "imagededup",
        "imagededup",
    ),
}


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--counts", type=int, nargs="+", default=[3_000, 100_000, 1_000_000])
    parser.add_argument("--radius", type=int, default=4)
    parser.add_argument("--limit", type=int, default=120, help="seconds for each contender")
    parser.add_argument("--threads", type=int, default=1, help="of faiss")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="a JSON object a line, no table")
    parser.add_argument("--contender", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
