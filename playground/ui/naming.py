"""The places inside a model as people name them."""

from playground.ui.language import text


def site_name(site: str, language: str) -> str:
    """An attention site, such as "decoder.5.cross", as "Decoder layer 6 · cross-attention": people count from 1."""
    stack, layer, kind = site.split(".")
    return text(f"site.{stack}.{kind}", language, layer=int(layer) + 1)


def head_name(head: int, language: str) -> str:
    """Head 0 as "Head 1"; -1 is the mean of all heads, -2 the largest weight among them."""
    if head == -2:
        return text("head.max", language)
    return text("head.mean", language) if head < 0 else text("head.one", language, head=head + 1)


def short_site_name(site: str, language: str) -> str:
    """The same in a word and a number, for a small picture."""
    stack, layer, kind = site.split(".")
    return text(f"site.short.{stack}.{kind}", language, layer=int(layer) + 1)
