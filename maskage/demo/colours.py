"""Colours of rendered people and backgrounds."""

Colour = tuple[float, float, float]
"""Red, green and blue, 0 to 255."""


def colour_of(code: str) -> Colour:
    """Return the colour of a code such as "#f0c8a8"."""
    value = int(code.removeprefix("#"), 16)
    return float(value >> 16), float(value >> 8 & 255), float(value & 255)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours; `share`, 0 to 1, is the part of `second`."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue


def darker(colour: Colour, amount: float) -> Colour:
    """Move a colour towards black by `amount`, 0 to 1; red fades least, as in shaded skin."""
    red, green, blue = colour
    return red * (1 - amount * 0.85), green * (1 - amount), blue * (1 - amount)


def lighter(colour: Colour, amount: float) -> Colour:
    """Move a colour towards white by `amount`, 0 to 1."""
    return mix(colour, (255.0, 252.0, 245.0), amount)
