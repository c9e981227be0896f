"""How the page looks: one quiet theme of its own, light and dark, and the files that go with it."""

import json
from pathlib import Path
from typing import Any

import gradio as gr

from playground.ui.chart import PLOTLY_JS
from playground.ui.language import table
from playground.ui.parcels import ROUTE

ASSETS = Path(__file__).parents[2] / "assets"
FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Noto Sans Mono", "Noto Sans Mono CJK SC", "monospace"]

INK = gr.themes.Color(
    name="ink",
    c50="#f7f8fa",
    c100="#eef0f4",
    c200="#dfe3ea",
    c300="#c4cad6",
    c400="#8f98aa",
    c500="#667085",
    c600="#4d566a",
    c700="#384052",
    c800="#232937",
    c900="#171b26",
    c950="#0f121a",
)
TEAL = gr.themes.Color(
    name="teal",
    c50="#effaf9",
    c100="#d3f1ee",
    c200="#a8e2dd",
    c300="#74cbc6",
    c400="#3fadaa",
    c500="#1f8f8e",
    c600="#127374",
    c700="#105c5e",
    c800="#114a4c",
    c900="#123e40",
    c950="#052325",
)


def theme() -> gr.themes.Base:
    """Ink on paper with one accent; every pair of text and ground has a contrast of at least 4.5 in light and in dark."""
    base = gr.themes.Base(
        primary_hue=TEAL, secondary_hue=TEAL, neutral_hue=INK, radius_size="md", text_size="md", font=FONT, font_mono=MONO
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        block_background_fill="white",
        block_background_fill_dark="*neutral_900",
        block_border_color="*neutral_200",
        block_border_color_dark="*neutral_800",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="*neutral_100",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_shadow="none",
        input_border_width="1px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_950",
        input_border_color="*neutral_400",
        input_border_color_dark="*neutral_500",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_300",
        button_primary_background_fill_hover_dark="*primary_200",
        button_primary_text_color="white",
        button_primary_text_color_dark="*neutral_950",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        slider_color="*primary_600",
        slider_color_dark="*primary_300",
    )


def launch_settings() -> dict[str, Any]:
    """What `Blocks.launch` needs to show the page as it is meant: theme, style, script; and room for many visitors at once."""
    said = {key: sentences for key, sentences in table().items() if key.startswith("script.")}
    given = {"plotlyPath": PLOTLY_JS.as_posix(), "said": said}
    script = "\n".join(file.read_text(encoding="utf-8") for file in sorted((ASSETS / "js").glob("*.js")))
    return {
        "theme": theme(),
        "css_paths": sorted((ASSETS / "css").glob("*.css")),
        "head": f"<script>window.playground = {json.dumps(given)};\n{script}</script>",
        "footer_links": ["api"],  # its button opens the API page for a link of our own footer
        "run_history": False,
        "max_threads": 128,  # each waiting visitor holds one; with the default of 40, forty would stop the page for everybody
        "app_kwargs": {"routes": [ROUTE]},
        "max_file_size": "4mb",  # the only files that visitors send are labelled sentences
        "show_error": False,
    }
