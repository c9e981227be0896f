"""Text to the numbers a model reads, and back: one class a library, chosen by the files of the model's folder."""

from pathlib import Path

from tokenizers import Tokenizer as Library

from models import tokens
from models.checkpoints.gguf_files import GGUFFile
from models.checkpoints.weights import broken
from models.tokenizers import sentencepieces
from models.tokenizers.fast import FastTokenizer
from models.tokenizers.gguf_vocabulary import from_gguf
from models.tokenizers.names import chat_template, special_names


def from_folder(folder: Path, model_type: str) -> tokens.Tokenizer:
    """The tokenizer of the model in `folder`, of the kind `model_type`; Problem where there is none or where it is damaged."""
    if files := sorted(folder.glob("*.gguf")):
        weights = GGUFFile(files[0])
        tokenizer = from_gguf(weights.metadata, file=files[0].name)
        weights.close()
        return tokenizer
    if files := sorted(folder.glob("vocab.*.spm")):
        return sentencepieces.student(files[0])
    if (folder / "source.spm").exists():
        return sentencepieces.marian(folder)
    if (folder / "shared_vocabulary.json").exists():
        return sentencepieces.opus(folder)
    tokenizer = library(folder, model_type)
    names = special_names(folder, tokenizer)
    return FastTokenizer(tokenizer, **names, template=chat_template(folder, names))


def library(folder: Path, model_type: str) -> Library:
    """The folder's tokenizer.json, or the older files (vocab.txt; vocab.json with merges.txt) converted to one."""
    path = folder / "tokenizer.json"
    try:
        if path.exists():
            return Library.from_file(str(path))
        from transformers import AutoTokenizer  # noqa: PLC0415 - takes seconds, and few folders need it

        return AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
    except Exception as error:  # the library raises plain Exception for a damaged file
        raise broken(path.name, f"no tokenizer of a {model_type} model can be read from {folder.name}: {error}") from error
