"""The frame of the pages: cards under headings, links to each, one file, nothing fetched."""

from collections.abc import Sequence
from dataclasses import dataclass

from maskage.pages.parts import escape
from maskage.pages.style import STYLE

_OURS = """
.lead{color:var(--soft);margin-top:-8px}
nav{margin:14px 0 0;font-size:14px;display:flex;flex-wrap:wrap;gap:2px 16px}
a{color:var(--train)}
section{scroll-margin-top:10px}
.faint{color:var(--soft);font-size:13px}
b.wrong{color:var(--bad)}
.figures td:not(:first-child),.figures th:not(:first-child){text-align:right;
font-variant-numeric:tabular-nums;white-space:nowrap;padding-left:10px}
.figures tr>:last-child{padding-right:0}
.parts th:first-child{width:34%}
.parts td:first-child{min-width:10em}
.runs td:first-child{min-width:7em}
.runs .part{min-width:90px}
.scroll+p,.charts+p,img.wide+p{margin-top:12px}
code{white-space:nowrap}
.photo{display:block;width:112px;height:112px;border-radius:6px;
background:var(--line) center/contain no-repeat;
print-color-adjust:exact;-webkit-print-color-adjust:exact}
.photo.gone::after{content:"gone";display:block;text-align:center;line-height:112px;
color:var(--soft)}
figure{width:112px}
figcaption b{font-weight:600;color:var(--ink)}
.photos{display:flex;flex-wrap:wrap;gap:10px}
.triples{display:grid;grid-template-columns:repeat(auto-fill,minmax(350px,1fr));gap:16px 22px}
.triple{display:grid;grid-template-columns:repeat(3,1fr);gap:2px 6px;font-size:12px;
color:var(--soft);align-content:start}
.triple .photo{width:100%;height:auto;aspect-ratio:1}
.triple p{grid-column:1/-1;margin:2px 0 0;font-size:13px;color:var(--ink);overflow-wrap:anywhere}
.triple p span{color:var(--soft);font-size:12px}
.row{display:flex;flex-wrap:wrap;gap:8px;padding:8px 0;border-top:1px solid var(--line)}
section .twins{display:grid;grid-template-columns:repeat(auto-fill,minmax(380px,1fr));gap:10px 20px;
border:0}
.twins .row{border:0;padding:0;flex-wrap:nowrap}
.twins .row p{overflow-wrap:anywhere;min-width:0}
.varied{display:flex;flex-wrap:wrap;gap:14px 30px}
.varied .row{padding:0;border:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(300px,1fr));gap:18px}
.chart{width:100%;height:auto;font-size:11px;fill:var(--soft);overflow:visible}
.chart text{paint-order:stroke;stroke:var(--card);stroke-width:3px}
.chart .grid{stroke:var(--line);fill:none}
.chart .wanted{stroke:var(--soft);stroke-dasharray:4 4;fill:none}
.chart .line{stroke:var(--train);stroke-width:2;fill:none;stroke-linejoin:round}
.chart circle{fill:var(--train)}
.chart circle.after{fill:var(--train);fill-opacity:.55;stroke:var(--train)}
.chart circle.before{fill:none;stroke:var(--val)}
img.wide{display:block;max-width:100%;height:auto;border-radius:6px}
.matrix{width:auto;table-layout:fixed}
.matrix th{text-align:center;padding:4px 8px;border:0}
.matrix tbody th{text-align:right;padding-right:12px}
.matrix td{padding:2px;border:0}
.matrix td a,.matrix td span{display:block;width:104px;padding:12px 0;border-radius:8px;
text-align:center;text-decoration:none;color:var(--ink);line-height:1.25}
.matrix td a:hover{outline:2px solid var(--train)}
.matrix td a.dark{color:#fff}
.matrix td span{color:var(--soft)}
.matrix b{display:block;font-size:20px;font-variant-numeric:tabular-nums}
.matrix small{font-size:12px}
.cell{display:none;border-top:1px solid var(--line);margin-top:12px;padding-top:10px;
scroll-margin-top:300px}
.cell:target{display:block}
.part{position:relative;height:12px;min-width:120px;background:var(--line);border-radius:4px;
overflow:hidden}
.part i{display:block;height:100%;background:var(--made)}
.part u{position:absolute;top:5px;height:2px;background:var(--ink)}
@media(max-width:620px){.parts .part{display:none}.parts td{padding-left:4px}
main{padding:20px 10px 40px}section{padding:14px 12px}
.matrix td a,.matrix td span{width:auto;padding:8px 2px}.matrix b{font-size:16px}
.matrix{width:100%}.matrix th{font-size:11px;padding:2px;white-space:normal}
.matrix tbody th{padding-right:4px}
.photo,figure{width:84px}.photo{height:84px}.photo.gone::after{line-height:84px}
.triples,section .twins{grid-template-columns:1fr}}
"""


@dataclass(frozen=True)
class Card:
    """One part of a page.

    Attributes:
        name: That an address ends in.
        title: Its heading, plain.
        body: HTML.
    """

    name: str
    title: str
    body: str


def render_page(title: str, lead: str, tiles: Sequence[tuple[str, str]], cards: Sequence[Card],
                pictures: str = "") -> str:  # fmt: skip
    """A whole page.

    Args:
        title, lead: Plain.
        tiles: Figures and what they are, plain.
        cards: In their order; one without a body is left out.
        pictures: The style of the pictures that the cards show.
    """
    shown = [card for card in cards if card.body]
    links = "".join(f'<a href="#{card.name}">{escape(card.title)}</a>' for card in shown)
    figures = "".join(
        f"<div><b>{escape(value)}</b><span>{escape(name)}</span></div>" for value, name in tiles
    )
    body = "".join(
        f'<section id="{card.name}"><h2>{escape(card.title)}</h2>{card.body}</section>'
        for card in shown
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{_OURS}</style>"
        f"<style>{pictures}</style></head><body><main><h1>{escape(title)}</h1>"
        f'<p class="lead">{escape(lead)}</p><div class="tiles">{figures}</div>'
        f"<nav>{links}</nav>{body}</main></body></html>\n"
    )
