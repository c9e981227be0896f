"""Lines of weight maps that many families share."""

from models.checkpoints.rules import Rule


def linear(source: str, target: str) -> list[Rule]:
    """A matrix and its bias."""
    return [Rule(f"{source}.{part}", f"{target}.{part}") for part in ("weight", "bias")]


def fused(sources: tuple[str, ...], target: str, *, bias: bool = True) -> list[Rule]:
    """Several matrices that are one of ours."""
    parts = ("weight", "bias") if bias else ("weight",)
    return [Rule(tuple(f"{source}.{part}" for source in sources), f"{target}.{part}") for part in parts]


def norm(source: str, target: str) -> list[Rule]:
    """A LayerNorm; the first BERTs call its numbers gamma and beta."""
    return [
        Rule(f"{source}.weight", f"{target}.weight", alias=(f"{source}.gamma",)),
        Rule(f"{source}.bias", f"{target}.bias", alias=(f"{source}.beta",)),
    ]


def unused(*sources: str) -> list[Rule]:
    """Known, not needed, and not always there."""
    return [Rule(source, None, optional=True) for source in sources]


def prefix(names: list[str], candidate: str) -> str:
    """`candidate` where the checkpoint begins its names with it, or nothing."""
    return candidate if any(name.startswith(candidate) for name in names) else ""
