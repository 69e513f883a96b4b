"""Words in the names of files and folders that name a thing, a source or a look, and no person."""

import re
from collections.abc import Iterable
from functools import lru_cache

_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
a an and at by copy duplicate edit edited en eu final for from in is my new no non not of off old on
original out the to untitled unnamed with without w wo x y face faces head heads portrait portraits
selfie selfies person persons people human humans child kid man men woman women male males female
females boy girl boys girls lady guy adult senior elderly young teen baby age aged subject subjects
subj sub participant volunteer patient student identity id user actor model mask masks masked maskon
maskoff nomask unmasked unmask misworn worn wear wearing bare chin nose mouth cover covered surgical
cloth fabric medical respirator ffp kn glasses sunglasses hat cap beard scarf hand
hands good bad right wrong correct correctly incorrect incorrectly proper improper partial partially
full none yes ok img image images imgs pic pics picture pictures photo photos photograph foto fotos
bild bilder frame frames snap snapshot snapshots shot shots screen screenshot capture captured
webcam camera cam video videos vid clip clips movie film scan scanned thumb thumbnail preview dsc
dscn dscf dscim pxl mvi gopr gp vlcsnap whatsapp wa signal telegram messenger snapchat inshot burst
pano hdr mfnr mvimg wp cimg imag pict pimg csc ima wx mmexport received fb facebook instagram insta
tiktok twitter youtube yt google bing yahoo baidu yandex flickr reddit pinterest kaggle roboflow
github huggingface coco voc yolo imagenet openimages wider widerface fddb mafa maskedface rmfd rmfrd
smfrd smfd fmd mfn cmfd imfd lfw celeba celebahq ffhq utk utkface imdb wiki vggface vgg casia
webface megaface morph agedb cacd fgnet appa pubfig rafd ck jaffe maksssksksss pexels unsplash
pixabay istock istockphoto shutterstock gettyimages getty depositphotos dreamstime alamy adobestock
adobe freepik stock stocksy stockphoto gan stylegan generated synthetic fake fakes real comfyui
midjourney dalle sd diffusion output result results data dataset datasets set sets train training
val valid validation test testing dev eval holdout split fold part parts batch batches group groups
class classes category label labels folder dir batchno chunk page tile patch roi bbox box detection
detected detect crop crops cropped aligned align chip resized resize small large big tiny medium raw
processed clean cleaned filtered temp tmp aug augment augmented augmentation flip flipped mirror
mirrored rot rotate rotated noise noisy blur blurred bright brightness dark darker light lighter
contrast shift shifted zoom zoomed scale scaled grey gray grayscale color colour hflip vflip shear
saturation hue gamma jpeg jpg png bmp webp tif front frontal left up down side profile top bottom
center centre middle back near far close closeup indoor indoors outdoor outdoors day night morning
evening sunny lit happy sad angry neutral smile smiling smiles surprised surprise fear disgust calm
laughing sleepy wink talking looking open closed eyes normal red green blue white black yellow pink
orange purple brown asian caucasian african indian hispanic latino one two three four five six seven
eight nine ten first second third last next sample samples example examples demo item items object
file files session sessions take takes seq sequence days index idx num number nr feb mar apr jun jul
sep oct nov dec january february march july september october november december download downloads
downloaded imagen immagine imagem visage visages gesicht gesichter rostro cara
bit bits bitdepth bilevel mono monochrome pal palette paletted indexed rgb rgba bgr bgra la lab hsv
hsl cmyk ycck ycbcr yuv srgb alpha transparent opaque upper uppercase lower lowercase jpe jfif jfi
jif jf gif apng tiff bigtiff mpo heic heif avif av jxl jxr jp jpx ico cur tga pcx ppm pgm pbm pnm
psd svg dng exr hdri anim animated animation still multi multipage multiframe pages noext ext
extension suffix exif icc xmp iptc metadata meta profile orient orientation oriented progressive
interlaced baseline arithmetic lossless lossy compressed uncompressed deflate lzw rle packbits
truncated trunc corrupt corrupted broken damaged empty huge wide tall square format formats
""",
    )
)
_STOCK = frozenset(
    re.findall(
        r"\w+",
        "pexels unsplash pixabay istock istockphoto shutterstock gettyimages getty depositphotos "
        "dreamstime alamy adobestock freepik stocksy",
    )
)

_CONTAINERS = frozenset(
    ("batch", "part", "set", "dataset", "data", "fold", "split", "group", "class", "train", "val",
     "valid", "test", "session", "day", "cam", "camera", "webcam", "video", "clip", "folder", "dir",
     "v", "version")
)  # fmt: skip

_WORD = re.compile(r"[^\W\d_]+")


def words_in(text: str) -> list[str]:
    """Return the words of letters in a text, in lower case."""
    return [word.casefold() for word in _WORD.findall(text)]


def words_of_classes(labels: Iterable[str]) -> frozenset[str]:
    """Return the words that the names of classes are made of, and each name without its gaps."""
    found: set[str] = set()
    for label in set(labels):
        found.update(words := words_in(label))
        found.add("".join(words))
    return frozenset(found)


@lru_cache(maxsize=65536)
def is_plain_word(word: str) -> bool:
    """Return whether a word, in lower case, names a thing, a source or a look and no person."""
    return word in _WORDS or (word.endswith("s") and word[:-1] in _WORDS)


def is_of_stock(stem: str) -> bool:
    """Return whether a name is that of an agency's picture: its words are the photographer's."""
    return not _STOCK.isdisjoint(words_in(stem))


def is_container(word: str) -> bool:
    """Return whether a word, in lower case, names what holds photos: "batch", "train", "day"."""
    return word in _CONTAINERS
