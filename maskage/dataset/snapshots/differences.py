"""The differences between two snapshots, or between one and the dataset as it is. Pure."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from maskage.dataset.snapshots.snapshot_file import Snapshot, SnapshotPhoto
from maskage.outside_text import join_lines
from maskage.records import Photo

FACTS = ("subject", "session", "group", "is_flagged", "confirmed")
"""What is compared of a photo beside its class and path, and what a restoration brings back."""
_MOST = 20


@dataclass(frozen=True)
class Pair:
    """One photo, by its content, in both snapshots.

    Attributes:
        before: The photo in the first.
        after: The photo in the second.
    """

    before: SnapshotPhoto
    after: SnapshotPhoto

    @property
    def changed_facts(self) -> tuple[str, ...]:
        """The names of the facts that differ."""
        return tuple(name for name in FACTS if self._get(name, True) != self._get(name, False))

    @property
    def is_relabelled(self) -> bool:
        """Its class differs."""
        return self.before.photo.label != self.after.photo.label

    @property
    def is_renamed(self) -> bool:
        """Its path differs, in one class."""
        return not self.is_relabelled and self.before.photo.path != self.after.photo.path

    def _get(self, name: str, is_before: bool) -> object:
        return getattr((self.before if is_before else self.after).photo, name)


@dataclass(frozen=True)
class Differences:
    """The differences from one snapshot to another.

    Attributes:
        before, after: The snapshots.
        pairs: Photos that are in both, in the order of their paths before.
        added: Photos that are only in the second, sorted by path.
        removed: Photos that are only in the first, sorted by path.
    """

    before: Snapshot
    after: Snapshot
    pairs: tuple[Pair, ...]
    added: tuple[SnapshotPhoto, ...]
    removed: tuple[SnapshotPhoto, ...]

    @property
    def relabelled(self) -> tuple[Pair, ...]:
        """Photos whose class differs."""
        return tuple(pair for pair in self.pairs if pair.is_relabelled)

    @property
    def described(self) -> tuple[Pair, ...]:
        """Photos of which other facts differ."""
        return tuple(pair for pair in self.pairs if pair.changed_facts)

    @property
    def renamed(self) -> tuple[Pair, ...]:
        """Photos that have another name in their class."""
        return tuple(pair for pair in self.pairs if pair.is_renamed)

    @property
    def are_classes_changed(self) -> bool:
        """The classes differ in anything that classes.toml says."""
        return self.before.classes != self.after.classes

    @property
    def is_empty(self) -> bool:
        """There is no difference."""
        others = (self.added, self.removed, self.relabelled, self.described, self.renamed)
        return not any(others) and not self.are_classes_changed

    def to_json(self) -> dict[str, object]:
        """Return the differences for JSON, every photo by name."""
        return {
            "before": self.before.name,
            "after": self.after.name,
            "added": [each.photo.path for each in self.added],
            "removed": [each.photo.path for each in self.removed],
            "relabelled": [_of_pair(pair) for pair in self.relabelled],
            "renamed": [_of_pair(pair) for pair in self.renamed],
            "described": [
                _of_pair(pair) | {"facts": list(pair.changed_facts)} for pair in self.described
            ],
            "classes_changed": self.are_classes_changed,
        }

    def __str__(self) -> str:
        if self.is_empty:
            return f"{self.before.name} and {self.after.name} hold the same."
        lines = [f"From {self.before.name} to {self.after.name}:"]
        lines += _listed("added", [each.photo.path for each in self.added])
        lines += _listed("removed", [each.photo.path for each in self.removed])
        lines += _listed("relabelled", [_arrow(pair) for pair in self.relabelled])
        lines += _listed("renamed", [_arrow(pair) for pair in self.renamed])
        lines += _listed("with other facts", list(map(_facts_of, self.described)))
        if self.are_classes_changed:
            lines.append("  the classes differ (classes.toml)")
        return join_lines(lines)


def compare(before: Snapshot, after: Snapshot) -> Differences:
    """Compare two snapshots; photos are the same where their files have the same content.

    Of several files with one content, those of the same path are paired first, then those of the
    same class.
    """
    left: dict[str, list[SnapshotPhoto]] = defaultdict(list)
    for each in after.photos:
        left[each.digest].append(each)
    pairs, open_ones = [], list(before.photos)
    for is_alike in (_has_same_path, _has_same_label, lambda one, other: True):
        rest = []
        for each in open_ones:
            others = left[each.digest]
            found = next((other for other in others if is_alike(each.photo, other.photo)), None)
            if found is None:
                rest.append(each)
            else:
                others.remove(found)
                pairs.append(Pair(each, found))
        open_ones = rest
    added = sorted((each for others in left.values() for each in others), key=_path_of)
    return Differences(
        before,
        after,
        tuple(sorted(pairs, key=lambda pair: _path_of(pair.before))),
        tuple(added),
        tuple(open_ones),
    )


def _has_same_path(one: Photo, other: Photo) -> bool:
    return one.path == other.path


def _has_same_label(one: Photo, other: Photo) -> bool:
    return one.label == other.label


def _path_of(each: SnapshotPhoto) -> str:
    return each.photo.path


def _of_pair(pair: Pair) -> dict[str, object]:
    return {"before": pair.before.photo.path, "after": pair.after.photo.path}


def _arrow(pair: Pair) -> str:
    return f"{pair.before.photo.path} -> {pair.after.photo.path}"


def _facts_of(pair: Pair) -> str:
    changes = (
        f"{name.removeprefix('is_')} {_show(getattr(pair.before.photo, name))} -> "
        f"{_show(getattr(pair.after.photo, name))}"
        for name in pair.changed_facts
    )
    return f"{pair.after.photo.path}: {', '.join(changes)}"


def _show(value: object) -> str:
    return "none" if value is None else str(value).lower() if value in (True, False) else str(value)


def _listed(what: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    folders = Counter(line.partition("/")[0] for line in lines)
    by_class = ", ".join(f"{count} in {label}" for label, count in sorted(folders.items()))
    shown = [f"    {line}" for line in lines[:_MOST]]
    more = [f"    ... and {len(lines) - _MOST} more (--json lists all)"] if lines[_MOST:] else []
    return [f"  {len(lines)} {what} ({by_class})", *shown, *more]
