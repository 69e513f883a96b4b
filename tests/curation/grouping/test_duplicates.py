import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from curation.grouping.duplicates import Duplicate, find_duplicates
from curation.grouping.groups import describe_links, group_photos
from curation.grouping.look_alikes import find_look_alikes
from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.naming.copies import source_stem
from maskage.dataset.photo_scan import FileScan, PhotoScan
from maskage.pictures.perceptual_hash import GROUP_BITS
from maskage.records import Photo, Quality

GOOD = Quality(sharpness=100.0, brightness=120.0, clipped=0.0, face_px=0)


def scan(
    name: str,
    phash: int = 0,
    label: str = "mask_old",
    *,
    mirror: int = (1 << 64) - 1,
    sharpness: float = 100.0,
    sha256: str | None = None,
    subject: str | None = None,
    session: str | None = None,
    group: str | None = None,
) -> PhotoScan:
    path = f"{label}/{name}.jpg"
    photo = Photo(path, label, subject=subject, session=session, group=group)
    quality = Quality(sharpness, GOOD.brightness, GOOD.clipped, GOOD.face_px)
    return PhotoScan(photo, FileScan(sha256 or path, phash, mirror, quality, 200, 200))


def duplicates(
    scans: Sequence[PhotoScan], groups: Sequence[int], radius: int = 4
) -> list[Duplicate]:
    return find_duplicates(scans, groups, find_look_alikes(scans, radius))


def groups_of(scans: Sequence[PhotoScan]) -> list[int]:
    return group_photos(scans, find_look_alikes(scans, GROUP_BITS))


def far(number: int) -> int:
    """Hashes that are far from each other."""
    return random.Random(number).getrandbits(64)


def test_the_sharpest_stays_and_its_neighbours_go() -> None:
    scans = [
        scan("a", 0b0000, sharpness=50),
        scan("b", 0b0011, sharpness=90),
        scan("c", 0b1111, sharpness=70),
        scan("d", far(1)),
    ]
    found = duplicates(scans, [0, 0, 0, 1])
    assert [(d.index, d.leader, d.bits, d.is_copy) for d in found] == [
        (0, 1, 2, False),
        (2, 1, 2, False),
    ]


def test_a_chain_is_thinned_and_not_swallowed() -> None:
    # Each is 4 bits from the next; the ends are 16 apart.
    scans = [scan(f"{k}", (1 << 4 * k) - 1, sharpness=100 - k) for k in range(5)]
    gone = {found.index for found in duplicates(scans, [0] * 5)}
    assert gone == {1, 3}


def test_classes_and_groups_are_never_compared() -> None:
    scans = [scan("a", 5), scan("b", 5, "nomask_old"), scan("c", 5)]
    assert duplicates(scans, [0, 0, 1]) == []


def test_the_same_file_twice_is_an_exact_copy() -> None:
    scans = [scan("a", 5, sha256="s"), scan("b", 5, sha256="s")]
    (found,) = duplicates(scans, [0, 0])
    assert (found.index, found.leader, found.is_copy) == (1, 0, True)


def test_radius_zero_takes_only_equal_hashes() -> None:
    scans = [scan("a", 0), scan("b", 1), scan("c", 0)]
    assert [found.index for found in duplicates(scans, [0] * 3, radius=0)] == [2]


@given(st.lists(st.integers(0, 2**12 - 1), max_size=25), st.integers(0, 6))
def test_what_stays_is_apart_and_what_goes_is_near_what_stays(
    hashes: list[int], radius: int
) -> None:
    scans = [scan(f"{k:02d}", value, sharpness=value % 7) for k, value in enumerate(hashes)]
    found = duplicates(scans, [0] * len(scans), radius)
    gone = {duplicate.index for duplicate in found}
    stay = [k for k in range(len(scans)) if k not in gone]
    for duplicate in found:
        assert duplicate.leader in stay
        assert (hashes[duplicate.index] ^ hashes[duplicate.leader]).bit_count() <= radius
    assert all((hashes[i] ^ hashes[j]).bit_count() > radius for i in stay for j in stay if i < j)


def test_subject_session_and_source_link_across_classes() -> None:
    scans = [
        scan("a", far(1), subject="anna", session="s1"),
        scan("b", far(2), session="s1"),
        scan("c", far(3), MASK_AGE.labels[2], subject="anna"),
        scan("d", far(4), MASK_AGE.labels[3], group="g"),
        scan("e", far(5), MASK_AGE.labels[3], group="g"),
        scan("f", far(6), MASK_AGE.labels[3]),
    ]
    assert groups_of(scans) == [0, 0, 0, 1, 1, 2]


def test_photos_of_nobody_in_particular_are_not_one_person() -> None:
    assert groups_of([scan(f"{k}", far(k)) for k in range(5)]) == [0, 1, 2, 3, 4]


def test_near_duplicates_and_mirrored_ones_link_across_classes() -> None:
    scans = [
        scan("a", far(1)),
        scan("b", far(1) ^ 0xFF, MASK_AGE.labels[1]),
        scan("c", far(1) ^ 0x1FF << 30, MASK_AGE.labels[2]),
        scan("d", far(2), mirror=far(3)),
        scan("e", far(3) ^ 1, MASK_AGE.labels[3], mirror=far(2) ^ 1),
    ]
    assert groups_of(scans) == [0, 0, 1, 2, 2]


def test_two_known_people_who_look_alike_are_two_unless_it_is_the_same_picture() -> None:
    scans = [scan("a", 7, subject="anna"), scan("b", 7 ^ 0x3F00, subject="bert"), scan("c", 7)]
    assert groups_of(scans[:2]) == [0, 1]
    assert groups_of(scans) == [0, 0, 0]
    same_picture = [scan("a", 7, subject="anna"), scan("b", 7 ^ 0xF00, subject="bert")]
    assert groups_of(same_picture) == [0, 0]
    same_file = [
        scan("a", far(1), subject="anna", sha256="s"),
        scan("b", far(2), subject="bert", sha256="s"),
    ]
    assert groups_of(same_file) == [0, 0]


def test_nothing_of_one_known_person_goes_for_another() -> None:
    scans = [scan("a", 7, subject="anna"), scan("b", 7, subject="bert"), scan("c", 7)]
    assert [(found.index, found.leader) for found in duplicates(scans, [0] * 3)] == [(2, 0)]


def test_a_mirrored_picture_is_a_near_duplicate_and_says_so() -> None:
    one, turned = far(1), far(2)
    scans = [
        scan("a", one, mirror=turned),
        scan("b", turned ^ 0b11, mirror=one ^ 0b101, sharpness=50),
    ]
    (found,) = duplicates(scans, [0, 0])
    assert (found.index, found.leader, found.bits, found.is_mirrored) == (1, 0, 2, True)


def test_a_thousand_equal_frames_are_one_group() -> None:
    assert set(groups_of([scan(f"{k:04d}", 7) for k in range(1000)])) == {0}


def test_augmented_copies_are_traced_to_their_photo() -> None:
    assert source_stem("mask_old/anna_flip.jpg") == source_stem("mask_old/anna_rot90.png") == "anna"
    assert source_stem("mask_old/anna__aug3.jpg") == "anna"
    assert source_stem(f"mask_old/anna_jpg.rf.{'0a' * 16}.jpg") == "anna"
    uuid = "123e4567-e89b-12d3-a456-426614174000"
    assert source_stem(f"mask_old/mask_old_original_anna.jpg_{uuid}.jpg") == "anna"
    assert source_stem("mask_old/anna.jpg") is None
    scans = [
        scan("anna", far(1)),
        scan("anna__aug1", far(2)),
        scan("anna", far(3), MASK_AGE.labels[1]),
    ]
    assert groups_of(scans) == [0, 0, 1]


def test_a_group_says_what_ties_it() -> None:
    photos = [scan(str(k), subject=f"p{k}", session="s").photo for k in range(5)]
    assert describe_links(photos) == "subjects p0, p1, p2 and 2 more; session s"
    assert describe_links([scan("a").photo, scan("b").photo]) == "near-duplicate pictures"
    assert describe_links([scan("a").photo]) == "one photo"
