"""Pascal VOC: an XML file a picture, as LabelImg, Roboflow and the face-mask sets have it.

Source: the VOC 2012 development kit: `annotation` holds `filename`, `size` and one `object` with
`name` and `bndbox` for each box, in px.
"""

from pathlib import PurePosixPath
from xml.etree.ElementTree import Element

from maskage.dataset.importing.annotations.json_values import as_size
from maskage.dataset.importing.annotations.records import DrawnBox, DrawnPicture
from maskage.dataset.importing.annotations.shapes import edges_of_corners
from maskage.dataset.importing.annotations.xml_files import number_of, text_of

ROOT = "annotation"
KIND = "Pascal VOC"

NO_BOX = "an object without a box"


def read_voc(root: Element, path: str) -> DrawnPicture:
    """Return what the XML of one picture says.

    The file name in it is often that of a copy or a former name, so a picture that is named as the
    XML file goes first; the size in it decides where both are there.

    Args:
        root: The element `annotation`.
        path: Path of the XML file.
    """
    objects = root.findall("object")
    boxes = [_box_of(each) for each in objects if each.find("bndbox") is not None]
    stated = root.find("size")
    size = stated if stated is not None else Element("size")
    return DrawnPicture(
        path,
        _names_of(root, path),
        tuple(boxes),
        size=as_size(text_of(size, "width"), text_of(size, "height")),
        faults=(NO_BOX,) * (len(objects) - len(boxes)),
        is_alone=True,
    )


def _names_of(root: Element, path: str) -> tuple[str, ...]:
    stated, inside = text_of(root, "filename"), text_of(root, "folder")
    own = PurePosixPath(path).stem + PurePosixPath(stated).suffix
    names = [own, f"{inside}/{stated}" if inside and stated else stated, text_of(root, "path")]
    return tuple(name for name in names if name)


def _box_of(element: Element) -> DrawnBox:
    box = element.find("bndbox")
    assert box is not None
    corners = [number_of(box, name) for name in ("xmin", "ymin", "xmax", "ymax")]
    return DrawnBox(text_of(element, "name"), *edges_of_corners(corners))
