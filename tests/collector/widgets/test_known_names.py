"""The names in use in a dataset, and which of them match what is typed."""

from collector.widgets.known_names import KnownName, find_known, list_known
from maskage.records import Photo

PHOTOS = [
    Photo("a/1.jpg", "a", subject="p02", group="g"),
    Photo("a/2.jpg", "a", subject="p01"),
    Photo("b/3.jpg", "b", subject="p02"),
    Photo("b/4.jpg", "b"),
]


def test_names_are_counted_by_class_the_most_used_first() -> None:
    known = list_known(PHOTOS, "subject", ("p01", "p77"))
    assert known == (
        KnownName("p02", {"a": 1, "b": 1}),
        KnownName("p01", {"a": 1}),
        KnownName("p77", {}),
    )
    assert [each.count for each in known] == [2, 1, 0]
    assert list_known(PHOTOS, "group") == (KnownName("g", {"a": 1}),)
    assert list_known([], "session") == ()


def test_the_list_narrows_as_one_types() -> None:
    known = list_known(PHOTOS, "subject", ("anna",))
    assert [each.name for each in find_known(known, "")] == ["p02", "p01", "anna"]
    assert [each.name for each in find_known(known, "p0")] == ["p02", "p01"]
    assert [each.name for each in find_known(known, "1")] == ["p01"]
    assert find_known(known, "zzz") == []
