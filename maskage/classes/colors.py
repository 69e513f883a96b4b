"""The colours of classes that were given none: distinct with every common colour blindness.

Source:
    Okabe and Ito, "Color universal design" (2008), with blue and vermillion a little lighter, so
    that a name in the colour can be read on a dark screen; and a grey that is so light that purple
    differs from it without green cones.
"""

_BLUE, _SKY, _VERMILLION, _ORANGE = "#2f8fd0", "#7cc7f0", "#e0651f", "#f0a92e"
_GREEN, _YELLOW, _PURPLE, _GREY = "#1fa884", "#e9dc4a", "#d08fb5", "#e4e4e4"

BLUE, SKY, VERMILLION, ORANGE, GREEN = _BLUE, _SKY, _VERMILLION, _ORANGE, _GREEN

_PALETTE = (_SKY, _ORANGE, _GREEN, _PURPLE, _BLUE, _VERMILLION, _YELLOW, _GREY)
_TINTS = (0.0, 0.4, -0.3, 0.6, -0.45, 0.2, -0.15, 0.75)
"""Share of white (above 0) or black in each further round of the palette."""


def default_color(number: int) -> str:
    """Return the colour of the class with this number, from 0: "#7cc7f0".

    Up to eight differ in hue. Beyond, rounds of lighter and darker ones follow, 64 in all; no
    screen shows a class by its colour alone.
    """
    tint = _TINTS[number // len(_PALETTE) % len(_TINTS)]
    toward = 255 if tint > 0 else 0
    channels = bytes.fromhex(_PALETTE[number % len(_PALETTE)][1:])
    mixed = bytes(round(value + abs(tint) * (toward - value)) for value in channels)
    return f"#{mixed.hex()}"
