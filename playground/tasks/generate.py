"""How the model goes on, word by word."""

from dataclasses import dataclass

NAME = "generate"


@dataclass(frozen=True, kw_only=True)
class Request:
    prompt: str
    max_new_tokens: int = 64
    temperature: float = 0.7  # 0: always the most likely word
    top_k: int = 50  # 0: all
    top_p: float = 0.9
    seed: int = 0
    chat: bool = True  # put the prompt into the model's chat template where it has one


@dataclass(frozen=True, kw_only=True)
class Step:
    """One generated token: its readable piece, its probability in the model's own distribution (temperature 1, nothing cut), and the best others."""

    word: str
    probability: float
    alternatives: tuple[tuple[str, float], ...]  # the most likely words at this place, best first
    text: str  # all the text so far


@dataclass(frozen=True, kw_only=True)
class Result:
    text: str
    steps: tuple[Step, ...]
    cut: int = 0
    finished: bool = True  # the model ended its text itself
