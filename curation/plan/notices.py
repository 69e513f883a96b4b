"""The notices on a plan: faults in the photos first, then advice."""

from collections import Counter
from collections.abc import Iterator, Sequence

from curation.caveats import HOW_TO_NAME, describe_unknown_people
from curation.grouping.groups import describe_links
from curation.grouping.guessed_sessions import read_time
from curation.limits import FLAWS
from curation.plan.balance import wanted_count
from curation.plan.dataset import LabelledDataset, describe_unknown
from curation.plan.mask_plan import PaintedMasks
from curation.plan.plan import CurationPlan, Notice
from curation.settings import GIVEN, GROUP, NO_FACE_MODEL, RANDOM, SESSION, TIME
from maskage.dataset.photo_scan import needs_face
from maskage.records import Photo

LARGE_GROUP = 0.1
"""Share of a class above which a group is hard to place and decides much of the score."""
SHARE_TOLERANCE = 0.05
MOST_NAMES = 3


def gather_notices(
    dataset: LabelledDataset, plan: CurationPlan, masks: PaintedMasks | None = None
) -> tuple[Notice, ...]:
    """Return the notices on a plan, faults first."""
    notices = [
        *_caveat(dataset.photos, plan),
        *_people(plan),
        *_guessed_sessions(plan),
        *_given(dataset.photos, plan),
        *_broken_photos(dataset, plan),
        *_checks(plan),
        *_leaks(plan),
        *_large_groups(dataset.photos, plan),
        *_shares(plan),
        *_missing_variants(plan),
        *_missing_masks(plan, masks),
        *_unsearched_faces(dataset.photos, plan),
    ]
    return tuple(sorted(notices, key=lambda notice: not notice.is_fault))


def _caveat(photos: Sequence[Photo], plan: CurationPlan) -> Iterator[Notice]:
    caveat = plan.caveat
    # Of a random split, the notice on leaks says more.
    if caveat is not None and (plan.settings.split != RANDOM or plan.settings.no_test):
        yield Notice(caveat)
    if plan.settings.split == TIME:
        untimed = sum(read_time(photo) is None for photo in photos)
        if untimed:
            yield Notice(
                f"{untimed} of {len(photos)} photos have no time at which they were taken: they "
                f"were put in the order of their names, one each second."
            )


def _people(plan: CurationPlan) -> Iterator[Notice]:
    """Say what the names name, and how many photos say nobody; of splits that hold people out."""
    if plan.settings.split not in (GROUP, GIVEN):
        return
    ties, known = plan.ties, plan.known
    if ties.names and ties.people:
        kept = "" if plan.settings.split == GIVEN else ", and each of them is in one split"
        yield Notice(
            f"The names of files or folders name people{kept} ({ties.names}). If these are no "
            f"people, use --people none."
        )
    is_enough = describe_unknown_people(plan.settings, known) is None
    if is_enough and known.tied < known.photos:
        yield Notice(
            f"{known}. The others may show people who are in another split too. {HOW_TO_NAME}"
        )
    if ties.offered and known.tied < known.photos:
        yield Notice(
            f"Perhaps the names name people ({ties.offered}), but it is not clear. If they do, "
            f"--people names keeps each of them in one split."
        )


def _guessed_sessions(plan: CurationPlan) -> Iterator[Notice]:
    ties = plan.ties
    if ties.sessions and plan.settings.split in (GROUP, SESSION):
        yield Notice(
            f"{ties.session_count} sessions were guessed from the times of {len(ties.sessions)} "
            f"photos, with gaps of over {plan.settings.session_gap:g} minutes between them, and "
            f"each is kept in one split. --session-gap 0 guesses none."
        )


def _given(photos: Sequence[Photo], plan: CurationPlan) -> Iterator[Notice]:
    if plan.settings.split != GIVEN:
        return
    kept = {photo.path for photo in plan.kept}
    origins = Counter(photo.origin for photo in photos if photo.path in kept)
    if origins[None]:
        yield Notice(f"{origins[None]} photos came without a split: they are in train.")
    if not origins["val"]:
        yield Notice("The split that was given has no val: it was taken from train, by groups.")


def _broken_photos(dataset: LabelledDataset, plan: CurationPlan) -> Iterator[Notice]:
    reasons = plan.reasons
    if reasons.get("unreadable"):
        yield Notice(
            f"Set aside: {reasons['unreadable']} unreadable. The report lists them with the reason "
            f"and what to do.",
            is_fault=True,
        )
    if reasons.get("label conflict"):
        yield Notice(
            f"{reasons['label conflict']} photos show the same picture in several classes, and all "
            f"were set aside. Keep each in its right class only.",
            is_fault=True,
        )
    if dataset.unknown:
        yield Notice(describe_unknown(dataset.root, dataset.scheme, dataset.unknown))
    yield from _unread_files(dataset)


def _unread_files(dataset: LabelledDataset) -> Iterator[Notice]:
    if dataset.strangers:
        yield Notice(
            f"{_entries(len(dataset.strangers), 'in the class folders')} not read: "
            f"{_some(dataset.strangers)}."
        )
    if dataset.beside:
        yield Notice(
            f"{_entries(len(dataset.beside), 'beside the class folders')} not read: "
            f"{_some(dataset.beside)}. A photo belongs into the folder of its class."
        )
    if dataset.hidden:
        yield Notice(
            f"{_entries(len(dataset.hidden), 'with hidden names or of a disk or file manager')} "
            f"not read, though they look like pictures: {_some(dataset.hidden)}. Rename those "
            f"that are photos."
        )


def _entries(count: int, where: str) -> str:
    return f"1 entry {where} was" if count == 1 else f"{count} entries {where} were"


def _checks(plan: CurationPlan) -> Iterator[Notice]:
    found = {kind: plan.reasons[kind] for kind in FLAWS if kind in plan.reasons}
    if found:
        shown = ", ".join(f"{count} {kind}" for kind, count in found.items())
        kinds = ",".join(kind.replace(" ", "-") for kind in found)
        yield Notice(
            f"Set aside by the checks: {shown}. The report shows them; `--allow {kinds}` keeps "
            f"such photos."
        )


def _leaks(plan: CurationPlan) -> Iterator[Notice]:
    if plan.straddling and plan.settings.split == RANDOM:
        used = {photo.group for photo in plan.kept}
        yield Notice(
            f"The random split leaks: {len(plan.straddling)} of {len(used)} groups have photos in "
            f"more than one split, so the test score is too good. Use --split group.",
            is_fault=True,
        )


def _large_groups(photos: Sequence[Photo], plan: CurationPlan) -> Iterator[Notice]:
    if plan.settings.split not in (GROUP, SESSION):
        return
    facts = {photo.path: photo for photo in photos}
    in_class = Counter(photo.label for photo in plan.kept)
    large = []
    for name, members in plan.groups.items():
        if len(members) == 1:
            continue  # a class of few photos: collecting is advised elsewhere
        counts = Counter(photo.label for photo in members if photo.kept)
        share, label = max(
            ((counts[label] / in_class[label], label) for label in counts), default=(0, "")
        )
        if share > LARGE_GROUP:
            tied = describe_links([facts[photo.path] for photo in members], plan.ties)
            large.append((share, f"{name} ({tied}) is {share:.0%} of {label}"))
    if large:
        large.sort(key=lambda item: (-item[0], item[1]))
        shown = "; ".join(text for _, text in large[:MOST_NAMES])
        people = "sessions" if plan.settings.split == SESSION else "people"
        yield Notice(
            f"{_groups_hold(len(large))} over {LARGE_GROUP:.0%} of a class, so the score depends "
            f"much on {'it' if len(large) == 1 else 'them'}: "
            f"{shown}{'; ...' if large[MOST_NAMES:] else ''}. Collect more {people}."
        )


def _groups_hold(count: int) -> str:
    return "1 group holds" if count == 1 else f"{count} groups hold"


def _shares(plan: CurationPlan) -> Iterator[Notice]:
    if plan.settings.split not in (GROUP, SESSION):
        return
    splits = plan.settings.splits
    wanted = dict(zip(splits, plan.settings.shares, strict=True))
    off = []
    for label in plan.scheme.labels:
        counts = {split: _assigned(plan, split, label) for split in splits}
        shares = {split: count / sum(counts.values()) for split, count in counts.items()}
        if any(abs(shares[split] - wanted[split]) > SHARE_TOLERANCE for split in splits):
            off.append(f"{label} {' / '.join(f'{shares[split]:.0%}' for split in splits)}")
    if off:
        yield Notice(
            f"The split was to be {' / '.join(f'{share:.0%}' for share in wanted.values())}, but "
            f"it is {', '.join(off)}: the groups are too few or too large for a better one."
        )


def _assigned(plan: CurationPlan, split: str, label: str) -> int:
    """Return the photos of a class in a split before a surplus was set aside from train."""
    surplus = sum(photo.kind == "surplus" and photo.label == label for photo in plan.set_aside)
    return plan.counts[split][label] + (surplus if split == "train" else 0)


def _missing_variants(plan: CurationPlan) -> Iterator[Notice]:
    wanted = wanted_count([*plan.originals, *plan.painted], plan.scheme.labels, plan.settings)
    for label in plan.scheme.labels:
        taken, made = plan.counts["train"][label], plan.variant_counts["train"][label]
        if taken + made < wanted:
            yield Notice(
                f"{label} has {taken} photos in train and got {made} variants, at most "
                f"{plan.settings.max_variants} of each: it has {taken + made} where {wanted} were "
                "wanted. Collect more of it."
            )


def _missing_masks(plan: CurationPlan, masks: PaintedMasks | None) -> Iterator[Notice]:
    if masks is None:
        if plan.settings.unpainted == NO_FACE_MODEL:
            yield Notice(
                "no masks were painted, because the face model is not here. A network that saw no "
                "mask worn wrongly takes its cloth for a mask: `--paint-masks 0.5` fetches the "
                "model once and paints some, and `--paint-masks 0` leaves this out."
            )
        return
    if masks.unseen:
        yield Notice(
            f"--paint-masks: {masks.unseen} of {masks.chosen} bare faces of train got no mask, "
            f"because their eyes, nose and mouth were not all found."
        )
    if masks.covered:
        yield Notice(
            f"--paint-masks: {masks.covered} of {masks.chosen} bare faces of train got no mask, "
            f"because something covers their chin already, such as a mask below the nose."
        )
    if masks.unpulled:
        yield Notice(
            f"--paint-masks: the masks of {masks.unpulled} of {masks.masked} masked faces of train "
            f"were not pulled down, because the photo does not show the whole mask from the front, "
            f"or no bare face of train can show above it."
        )
    is_asked = plan.settings.painting is not None and plan.settings.painting.is_asked
    if masks.chosen == 0 and is_asked:
        yield Notice("--paint-masks: the share is less than one bare face of train. Raise it.")
    for (label, value), count in masks.skipped.items():
        yield Notice(
            f"--paint-masks: {count} faces of {label} got no mask that is {value}, because there "
            f"is no class like {label} with mask = {value}."
        )
    lent = sum(photo.painting is not None and photo.painting.lender is not None
               for photo in plan.painted)  # fmt: skip
    if plan.painted and not lent:
        yield Notice(
            "--paint-masks: no masked photo of train shows its mask completely, from the front and "
            "over the nose, so every mask is drawn."
        )


def _unsearched_faces(photos: Sequence[Photo], plan: CurationPlan) -> Iterator[Notice]:
    unsearched = sum(map(needs_face, photos))
    if unsearched and plan.settings.dedupe and plan.settings.face_model is None:
        yield Notice(
            f"{unsearched} of {len(photos)} photos were compared as whole pictures, because their "
            f"faces were not searched. If they show more than the face, the background decides "
            f"which look alike. `--find-faces` compares the faces."
        )


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMES]) + (", ..." if names[MOST_NAMES:] else "")
