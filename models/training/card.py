"""The model card: what a model is made of, how good it is, and where it fails; one text for people, the same facts for the page."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.record import said

FACTS, METRICS, CARD = "card.json", "metrics.json", "README.md"
NEEDED = ("name", "summary", "languages", "licence", "attribution", "data", "method", "hardware", "minutes", "steps", "tokens", "limits")
ROWS = {
    "mlm_top1": ("hidden word is the first guess", "{:.1%}"),
    "mlm_top5": ("hidden word is among five guesses", "{:.1%}"),
    "mlm_loss": ("mean loss of a hidden word, in nats", "{:.3f}"),
    "nsp": ("pairs told right, wrong ones from another document", "{:.1%}"),
    "nsp_same_document": ("pairs told right, wrong ones from the same document", "{:.1%}"),
    "cloze_top1": ("clozes with a right first word", "{:.0%}"),
    "cloze_top5": ("clozes with a right word among five", "{:.0%}"),
    "valid_loss": ("mean loss of a word, in nats", "{:.3f}"),
    "valid_accuracy": ("words guessed from the source and the true words before", "{:.1%}"),
    "bleu": ("BLEU", "{:.1f}"),
    "chrf": ("chrF", "{:.1f}"),
}


def write_card(folder: Path) -> None:
    """README.md of a model's folder, from its card.json and, if it was measured, metrics.json."""
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    metrics = json.loads((folder / METRICS).read_text(encoding="utf-8")) if (folder / METRICS).exists() else None
    (folder / CARD).write_text(card(facts, metrics), encoding="utf-8")


def card(facts: Mapping[str, Any], metrics: Mapping[str, Any] | None = None) -> str:
    """The text of a card, in English where `facts` have several languages. ValueError names what they lack."""
    if missing := [name for name in NEEDED if name not in facts]:
        raise ValueError(f"a model card also needs {', '.join(missing)}")
    facts = {name: said(value, "en") for name, value in facts.items()}
    head = ["---", f"license: {facts['licence'].lower()}", "language:", *(f"- {code}" for code in facts["languages"])]
    head += [f"pipeline_tag: {facts.get('task', 'fill-mask')}", "library_name: transformers", "---"]
    took = f"{facts['steps']:,} steps, {facts['tokens']:,} tokens, {facts['minutes']:g} minutes on {facts['hardware']}"
    parts = [
        "\n".join(head),
        f"# {facts['name']}",
        facts["summary"],
        f"**Licence** {facts['licence']}. {facts['attribution']}",
        "## Data\n\n" + "\n".join(f"- {line}" for line in facts["data"]),
        f"## Method\n\n{facts['method']}\n\n{took}.",
        "## Quality\n\n" + (quality(metrics) if metrics else "Not measured yet."),
        "## Limits\n\n" + "\n".join(f"- {line}" for line in facts["limits"]),
    ]
    return "\n\n".join(parts) + "\n"


def quality(metrics: Mapping[str, Any]) -> str:
    """A table of each text that was measured, and for a BERT the clozes with what it says."""
    if "clozes" not in metrics:
        texts = [f"**{text['name']}** ({text['direction']}, {text['sentences']:,} sentences)\n\n{table(text)}" for text in metrics["texts"]]
        return "\n\n".join([f"Measured with `{metrics['command']}`: greedy translations, compared by sacrebleu.", *texts])
    parts = [f"Measured with `{metrics['command']}`: 15 % of the words hidden (80 % masked, 10 % changed, 10 % kept), fixed seed."]
    for text in metrics["texts"]:
        parts.append(f"**{text['name']}** ({text['words']:,} hidden words, {text['pairs']:,} pairs)\n\n{table(text)}")
    clozes = metrics["clozes"]
    parts.append(f"**{clozes['clozes']} clozes** (`assets/clozes_en.json`)\n\n{table(clozes)}")
    wrong = [
        f"- {one['text']} {', '.join(one['answers'][:3])}: says {', '.join(one['guesses'])}" for one in clozes["each"] if not one["right"]
    ]
    if wrong:
        parts.append("Clozes without a right word among five:\n\n" + "\n".join(wrong))
    if "obvious" in metrics:
        lines = [
            f"| {one['text']} | {', '.join(one['answers'])} | {', '.join(one['guesses'])} | {'yes' if one['right'] else 'no'} |"
            for one in metrics["obvious"]
        ]
        head = ["| what anybody would try first | wanted | says | right |", "|---|---|---|---|"]
        parts.append("\n".join([*head, *lines]))
    return "\n\n".join(parts)


def rows(numbers: Mapping[str, float]) -> list[str]:
    """The known numbers among these, as lines of a terminal."""
    return [f"  {label:<55}{form.format(numbers[key]):>9}" for key, (label, form) in ROWS.items() if key in numbers]


def table(numbers: Mapping[str, float]) -> str:
    """The known numbers among these, one a line."""
    lines = [f"| {label} | {form.format(numbers[name])} |" for name, (label, form) in ROWS.items() if name in numbers]
    return "\n".join(["| what | value |", "|---|---|", *lines])
