"""Which edits are left once photos are gone for good."""

from maskage.capture.deleted_photos import keep_possible
from maskage.dataset.edits import Edit, flagging, trashing
from maskage.records import Photo

A, B = Photo("x/a.jpg", "x"), Photo("x/b.jpg", "x")
MOVED = Photo("y/a.jpg", "y")


def test_without_deleted_photos_all_edits_are_kept() -> None:
    edits = [Edit(None, A), flagging(B, is_flagged=True)]
    assert keep_possible(edits, set()) == edits
    assert keep_possible([], {"x/a.jpg"}) == []


def test_the_edits_of_a_deleted_photo_go_through_all_its_names() -> None:
    done = [Edit(None, A), Edit(A, MOVED), flagging(B, is_flagged=True), trashing(MOVED)]
    undoing = [edit.inverse for edit in reversed(done)]
    assert keep_possible(undoing, {"y/a.jpg"}) == [flagging(B, is_flagged=True).inverse]


def test_a_photo_that_cannot_be_brought_back_is_not_moved_either() -> None:
    redoing = [Edit(None, A), Edit(A, MOVED), trashing(B)]
    assert keep_possible(redoing, {"x/a.jpg"}) == [trashing(B)]
