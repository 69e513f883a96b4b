"""XML from elsewhere, read so that it can neither fetch anything nor grow without end."""

from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from maskage.dataset.importing.annotations.annotated_folder import AnnotatedFolder
from maskage.dataset.importing.annotations.json_values import as_number
from maskage.pictures.picture_files import LeftOut

BROKEN_XML = "XML that cannot be read; export it again"
ENTITIES = "XML that defines entities, which is refused; export it again"


def read_xml(folder: AnnotatedFolder, path: str) -> Element | LeftOut:
    """Return the root of an XML file, or why it cannot be read."""
    try:
        root: Element = fromstring(folder.read_bytes(path))
    except DefusedXmlException:
        return LeftOut(path, ENTITIES)
    # A wrong encoding in the header is a LookupError, deep nesting a RecursionError.
    except (OSError, ParseError, ValueError, LookupError, RecursionError):
        return LeftOut(path, BROKEN_XML)
    return root


def text_of(element: Element, name: str) -> str:
    """Return the text of a child without spaces around it; "" where there is none."""
    return (element.findtext(name) or "").strip()


def number_of(element: Element, name: str) -> float:
    """Return the number in a child; not a number where there is none."""
    return as_number(text_of(element, name))
