from pathlib import Path

from maskage.classes.ready_made import MASK_AGE
from maskage.dataset.doctor.files import list_outside, list_trash
from maskage.dataset.edits import trashing
from maskage.dataset.store import PhotoStore
from maskage.pictures.images import encode_jpeg
from tests.conftest import draw_noise


def test_a_photo_without_suffix_is_found_in_the_class_in_the_trash_and_outside(
    tmp_path: Path,
) -> None:
    PhotoStore(tmp_path).close()
    picture = encode_jpeg(draw_noise(1))
    for name in ("mask_old/noext", "extra/noext", "@eaDir/a.jpg/M.jpg", "extra/@eaDir/noext"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture)
    (tmp_path / "extra" / "letter").write_text("Dear")
    assert list_outside(tmp_path, MASK_AGE.labels) == ["extra/noext"]
    with PhotoStore(tmp_path) as store:
        (photo,) = store.photos()
        assert photo.path == "mask_old/noext"
        store.apply([trashing(photo)])
    assert list(list_trash(tmp_path)) == ["mask_old/noext"]
