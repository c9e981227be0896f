"""What a model's folder says about its tokenizer: the names of its special tokens and its chat template."""

import json
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from models.checkpoints.weights import broken
from models.tokenizers.chat import ChatTemplate

ROLES = ("pad", "bos", "eos", "mask", "unk")
# Names by which a role is known where the folder holds nothing but a tokenizer.json.
USUAL = {
    "pad": ("[PAD]", "<pad>"),
    "bos": ("<s>", "<|begin_of_text|>"),
    "eos": ("</s>", "<|end_of_text|>", "<|endoftext|>"),
    "mask": ("[MASK]", "<mask>"),
    "unk": ("[UNK]", "<unk>"),
}


def special_names(folder: Path, tokenizer: Tokenizer) -> dict[str, str | None]:
    """The text of each special token by its role; a role that no file speaks of is looked up under its usual names."""
    files = [read_json(folder / name) for name in ("tokenizer_config.json", "special_tokens_map.json") if (folder / name).exists()]
    config = read_json(folder / "config.json") if (folder / "config.json").exists() else {}
    found: dict[str, str | None] = {}
    for role in ROLES:
        said = [content(file[f"{role}_token"]) for file in files if f"{role}_token" in file]
        number = config.get(f"{role}_token_id")
        if isinstance(number, int) and (name := tokenizer.id_to_token(number)) is not None:
            said.append(name)
        candidates = [name for name in said if name is not None] or ([] if said else USUAL[role])
        found[role] = next((name for name in candidates if tokenizer.token_to_id(name) is not None), None)
    return found


def content(token: str | dict[str, Any] | None) -> str | None:
    """A special token is written as its text, or as a table with its text in it."""
    return token["content"] if isinstance(token, dict) else token


def chat_template(folder: Path, names: dict[str, str | None]) -> ChatTemplate | None:
    """The folder's chat template, from any of the three places where one may stand."""
    source: Any = None
    if (folder / "chat_template.jinja").exists():
        source = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    for name in ("chat_template.json", "tokenizer_config.json"):
        if source is None and (folder / name).exists():
            source = read_json(folder / name).get("chat_template")
    if isinstance(source, list):
        source = {entry["name"]: entry["template"] for entry in source}.get("default")
    return ChatTemplate(source, bos=names["bos"] or "", eos=names["eos"] or "") if isinstance(source, str) and source else None


def read_json(path: Path) -> Any:
    """The content of a JSON file; Problem where it is missing or is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise broken(path.name, str(error)) from error
