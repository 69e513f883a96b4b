"""People whom the names of files and folders name, over the naming schemes of public sets."""

import hashlib
import random
import uuid
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maskage.dataset.person_names import find_people

CLASSES = ("mask_old", "mask_young", "nomask_old", "nomask_young")
PEOPLE = ("anna", "bert", "carla", "dirk", "emma", "fritz")

Name = Callable[[str, int, int], str]
"""The file of a class, of the class with this index, and of this number in it."""


FAMOUS = ("Tony_Blair", "Hugo_Chavez", "Tom_Hanks")
SHOTS = ("ANS", "HAHL", "SAHR", "NEFL", "DIFR")


def names_of(name: Name, count: int = 24) -> list[str]:
    return [
        f"{label}/{name(label, index, number)}.jpg"
        for index, label in enumerate(CLASSES)
        for number in range(count)
    ]


def digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def person(number: int) -> str:
    return PEOPLE[number % len(PEOPLE)]


NAMING: dict[str, tuple[Name, str]] = {
    "anna_003": (lambda c, i, n: f"{person(n)}_{n:03d}", "anna"),
    "anna 1": (lambda c, i, n: f"{person(n)} {n // 6 + 1}", "anna"),
    "anna1": (lambda c, i, n: f"{person(n)}{n // 6 + 1}", "anna"),
    "anna (1)": (lambda c, i, n: f"{person(n)} ({n // 6 + 1})", "anna"),
    "1_anna": (lambda c, i, n: f"{n // 6 + 1}_{person(n)}", "anna"),
    "anna_mask_old_1": (lambda c, i, n: f"{person(n)}_{c}_{n // 6}", "anna"),
    "augmented": (lambda c, i, n: f"{person(n)}_{n}_jpg.rf.{digest(c, n)[:32]}", "anna"),
    "LFW": (lambda c, i, n: f"{FAMOUS[n % 3]}_{n:04d}", "Tony_Blair"),
    "MaskTheFace": (
        lambda c, i, n: f"{FAMOUS[n % 3]}_{n:04d}_surgical_blue",
        "Tony_Blair",
    ),
    "CACD": (lambda c, i, n: f"{20 + n}_{FAMOUS[n % 3]}_{n:04d}", "Tony_Blair"),
    "AgeDB": (lambda c, i, n: f"{n}_{FAMOUS[n % 3].replace('_', '')}_{30 + i}_f", "TonyBlair"),
    "AT&T": (lambda c, i, n: f"s{n % 5 + 1:02d}-{n // 5 + 1}", "s01"),
    "VGGFace2": (lambda c, i, n: f"n{n % 5 + 1:06d}_{n:04d}_01", "n000001"),
    "IMDB": (lambda c, i, n: f"nm{n % 5 + 1:07d}_rm124825{n:02d}_1899-5-10_1968", "nm0000001"),
    "CK+": (lambda c, i, n: f"S{n % 5 + 1:03d}_00{i}_{n:08d}", "S001"),
    "Yale": (lambda c, i, n: f"subject{n + 1:02d}.{'sad' if i else 'wink'}", "subject01"),
    "person_3_12": (lambda c, i, n: f"person_{n % 5}_{n}", "person_0"),
    "FERET": (lambda c, i, n: f"{n % 5 + 1:05d}_930831_f{'ab'[i % 2]}_{n}", "00001"),
    "MORPH": (lambda c, i, n: f"{n % 5 + 9055:06d}_{n // 5}M{30 + i}", "009055"),
    "FG-NET": (lambda c, i, n: f"{n % 5 + 1:03d}A{n + i:02d}", "001"),
    "Market": (lambda c, i, n: f"{n % 5 + 1:04d}_c1s1_00{n:04d}_00", "0001"),
    "KDEF": (
        lambda c, i, n: f"{'AB'[n // 12]}F{n % 5 + 1:02d}{SHOTS[n // 5]}",
        "F01",
    ),
    "Radboud": (
        lambda c, i, n: f"Rafd{45 * (n % 5):03d}_{n // 5 + 1:02d}_Caucasian_female_sad_left",
        "01",
    ),
    "JAFFE": (lambda c, i, n: f"{('KA', 'KL', 'KM')[n % 3]}.AN{n // 3}.{39 + i * 24 + n}", "KA"),
}  # fmt: skip


@pytest.mark.parametrize("scheme", NAMING)
def test_names_that_name_a_person_are_read(scheme: str) -> None:
    name, first = NAMING[scheme]
    found = find_people(names_of(name))
    assert found is not None
    assert found.keys[0] == first
    assert None not in found.keys
    assert 3 <= found.people <= 24


def test_masked_copies_of_a_numbered_photo_are_one_person() -> None:
    names = [
        path
        for number in range(100)
        for age in ["old" if number < 50 else "young"]
        for path in (
            f"nomask_{age}/{number:05d}.png",
            f"mask_{age}/{number:05d}_Mask.jpg",
            f"nomask_{age}/{number:05d}_Mask_Chin.jpg",
        )
    ]
    found = find_people(names)
    assert found is not None
    assert str(found) == (
        "00000.png, 00000_Mask.jpg, 00000_Mask_Chin.jpg: 100 people in 300 of 300 photos"
    )
    assert found.keys[:4] == ("00000", "00000", "00000", "00001")
    assert found.confidence == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("without_mask/{0:05d}.png", "with_mask/{0:05d}_Mask.jpg"),
        ("without_mask/{0}.jpg", "with_mask/{0}-with-mask.jpg"),
        ("imfd/{1:05d}_Mask_Nose_Mouth.jpg", "cmfd/{1:05d}_Mask.jpg"),
        ("old/{1:05d}.png", "young/{1:05d}.png"),
    ],
)
def test_two_photos_of_a_number_are_one_person(one: str, other: str) -> None:
    names = [each.format(number, 700 * number) for number in range(50) for each in (one, other)]
    found = find_people(names)
    assert found is not None
    assert (found.people, found.named) == (50, 100)


@pytest.mark.parametrize(
    "folders",
    [
        [f"{label}/{who}" for label in CLASSES for who in PEOPLE[:4]],
        [f"{who}/{label}" for label in CLASSES for who in PEOPLE],
        [f"train/{label}/{who}" for label in CLASSES for who in PEOPLE],
        [f"{label}/{who:07d}" for label in CLASSES for who in (45, 99, 100, 117)],
        [f"{label}/person_{who:02d}" for label in CLASSES for who in range(4)],
    ],
)
def test_folders_of_people_are_read(folders: list[str]) -> None:
    found = find_people([f"{folder}/{n}_0_{n:04d}.jpg" for folder in folders for n in range(4)])
    assert found is not None
    assert found.forms == ("folder",)
    assert found.people == len(folders) // len(CLASSES)


NOBODY: dict[str, Name] = {
    "face_crop_0001": lambda c, i, n: f"face_crop_{n:04d}",
    "class_crop_3": lambda c, i, n: f"{c}_crop_{n}",
    "class_3": lambda c, i, n: f"{c}_{n}",
    "mask (3)": lambda c, i, n: f"{c.split('_')[0]} ({n})",
    "3_class": lambda c, i, n: f"{n + 1}_{c}",
    "img_0001": lambda c, i, n: f"img_{n:04d}",
    "DSC_0042": lambda c, i, n: f"DSC_{40 * i + n:04d}",
    "phone": lambda c, i, n: f"IMG_202401{i + 1:02d}_1200{n:02d}",
    "Pixel": lambda c, i, n: f"PXL_202401{i + 1:02d}_1200{n:02d}123",
    "WhatsApp": lambda c, i, n: f"WhatsApp Image 2020-06-{i + 1:02d} at 10.15.{n:02d} PM (1)",
    "IMG-WA": lambda c, i, n: f"IMG-202401{i + 1:02d}-WA00{n:02d}",
    "time": lambda c, i, n: f"202401{i + 1:02d}_1200{n:02d}",
    "burst": lambda c, i, n: f"202401{i + 1:02d}_1200{n // 3:02d}_{n % 3}",
    "frame": lambda c, i, n: f"frame_{n:06d}",
    "face mask detection": lambda c, i, n: f"maksssksksss{24 * i + n}",
    "its crops": lambda c, i, n: f"maksssksksss{n}_{i}",
    "copies": lambda c, i, n: f"photo{24 * i + n // 3}_{('dark', 'blur', 'flip')[n % 3]}_{n}",
    "numbers of each class": lambda c, i, n: f"{n + 1}",
    "padded numbers of each class": lambda c, i, n: f"{n + 1:04d}",
    "digest": lambda c, i, n: digest(c, n),
    "short digest": lambda c, i, n: digest(c, n)[:6],
    "uuid": lambda c, i, n: str(uuid.UUID(digest(c, n)[:32])),
    "ours": lambda c, i, n: f"20261123T10{i:02d}{n:02d}123Z_single_{n:05d}_{digest(c, n)[:8]}",
    "ours in a session": lambda c, i, n: (
        f"20261123T10{i:02d}{n:02d}123Z_20261123-101500-ab{n % 3}d_{n:05d}_{digest(c, n)[:8]}"
    ),
    "UTKFace": lambda c, i, n: f"{20 + 7 * n % 50}_{n % 2}_{i}_2017011617402{n:04d}.jpg.chip",
    "age and number": lambda c, i, n: f"{20 + n % 15}_{n}",
    "COCO": lambda c, i, n: f"{random.Random(digest(c, n)).randrange(10**6):012d}",
    "CelebA": lambda c, i, n: f"{24 * i + n + 1:06d}",
    "Pexels": lambda c, i, n: f"pexels-{('anna-shvets', 'cottonbro', 'fring')[n % 3]}-{9999 - n}",
    "Unsplash": lambda c, i, n: f"{('ana-b', 'bo-c', 'cy-d')[n % 3]}-Xy{n}z-unsplash",
    "download": lambda c, i, n: f"download ({n})",
    "pose": lambda c, i, n: f"{('left', 'right', 'front')[n % 3]}_{n}",
    "colour": lambda c, i, n: f"{('blue', 'white', 'black')[n % 3]}_mask_{n}",
    "factor": lambda c, i, n: f"{'worn' if i < 2 else 'bare'}_{n}",
    "batch": lambda c, i, n: f"batch{n % 4}_{n}",
    "class index": lambda c, i, n: f"{i:03d}_{n:04d}",
    "one word": lambda c, i, n: f"holiday_{n}",
}  # fmt: skip


@pytest.mark.parametrize("scheme", NOBODY)
def test_names_of_cameras_scripts_and_sources_name_nobody(scheme: str) -> None:
    assert find_people(names_of(NOBODY[scheme], count=60)) is None


@pytest.mark.parametrize("kinds", [("surgical", "cloth", "n95"), ("train", "val", "test")])
def test_folders_of_looks_and_splits_name_nobody(kinds: tuple[str, ...]) -> None:
    names = [f"{label}/{kind}/{n}.jpg" for label in CLASSES for kind in kinds for n in range(9)]
    assert find_people(names) is None


@pytest.mark.parametrize(
    "folder",
    [
        lambda number: f"{number // 1000 * 1000:05d}/{number:05d}",
        lambda number: f"2024-01-{number % 7 + 1:02d}/{number}",
        lambda number: f"202401{number % 7 + 1:02d}/DSC_{number:04d}",
    ],
)
def test_folders_of_numbers_and_days_name_nobody(folder: Callable[[int], str]) -> None:
    names = [
        f"{label}/{folder(number)}.png"
        for index, label in enumerate(CLASSES)
        for number in range(index, 15000, 77)
    ]
    assert find_people(names) is None


def test_few_sources_of_all_sizes_are_only_read_when_asked_for() -> None:
    sizes = {"jolly": 180, "somer": 250, "chandra": 60, "smitty": 12}
    names = [
        f"{CLASSES[n % 4]}/{who}_{n:04d}.jpg" for who, size in sizes.items() for n in range(size)
    ]
    assert find_people(names) is None
    found = find_people(names, is_asked=True)
    assert found is not None
    assert found.people == len(sizes)


def test_names_that_name_a_person_stand_among_others() -> None:
    names = names_of(NAMING["anna_003"][0]) + names_of(NOBODY["DSC_0042"], count=50)
    found = find_people(names)
    assert found is not None
    assert (found.people, found.named, len(found.keys)) == (6, 96, 296)
    assert found.keys[-1] is None


def test_the_labels_say_which_folder_is_no_person() -> None:
    names = [
        f"{kind}/{who}/{n}.jpg" for kind in ("with", "ohne") for who in PEOPLE for n in range(3)
    ]
    labels = [f"{'mask' if name.startswith('with') else 'nomask'}_old" for name in names]
    found = find_people(names, labels)
    assert found is not None
    assert set(found.keys) == set(PEOPLE)


@pytest.mark.parametrize("form", ["{look}.png", "{look}_{number:02}.png", "{look}-{number}.tif"])
def test_formats_and_looks_of_pictures_are_no_people(form: str) -> None:
    looks = [
        "16bit",
        "pal",
        "cmyk",
        "rgba",
        "gray",
        "anim",
        "multi",
        "av",
        "jf",
        "jpe",
        "noext",
        "UPPER",
        "progressive",
        "exif6",
    ]
    names = [
        f"{label}/{form.format(look=look, number=number)}"
        for label in CLASSES[:4]
        for number, look in enumerate(looks * 2)
    ]
    assert find_people(names) is None


def test_no_names_name_nobody() -> None:
    assert find_people([]) is None
    assert find_people([], is_asked=True) is None


@given(st.lists(st.text(max_size=12), max_size=30), st.booleans())
def test_any_names_are_read(names: list[str], is_asked: bool) -> None:
    found = find_people(names, is_asked=is_asked)
    assert found is None or len(found.keys) == len(names)


def test_digits_of_any_kind_are_no_trouble() -> None:
    names = [f"mask_old/anna_²_{n}.jpg" for n in range(4)] + ["x/\udc80.jpg", "", "/", "a\nb.jpg"]
    assert find_people(names) is None
