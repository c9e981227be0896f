"""Of whom the browser keeps account: of each component on its list Gradio's page copies everything at every event, several times."""

import gradio as gr


def at_opening(blocks: gr.Blocks) -> list:
    """The events of a page that is opened, and those that follow them."""
    found = {number for number, function in blocks.fns.items() if any(moment == "load" for _, moment in function.targets)}
    while more := {number for number, function in blocks.fns.items() if function.trigger_after in found} - found:
        found |= more
    return [blocks.fns[number] for number in sorted(found)]


def test_opening_the_page_puts_few_components_on_the_list(tiny_page: gr.Blocks) -> None:
    functions = at_opening(tiny_page)
    assert len(functions) > 3 and max(len(function.outputs) for function in functions) > 100  # labels in another language
    listed = {block for function in functions for block in [*function.inputs, *(function.show_progress_on or function.outputs)]}
    assert len(listed) < 30, [type(block).__name__ for block in listed]


def test_a_map_that_may_be_large_is_not_on_the_list(tiny_page: gr.Blocks) -> None:
    (chart,) = [block for block in tiny_page.blocks.values() if getattr(block, "elem_id", None) == "attention-chart"]
    for function in tiny_page.fns.values():
        assert chart not in function.inputs, function.api_name
        assert chart not in (function.show_progress_on or function.outputs), function.api_name


def test_opening_does_not_empty_a_line_that_a_first_answer_may_have_filled(tiny_page: gr.Blocks) -> None:
    (first,) = [function for function in at_opening(tiny_page) if function.name == "first"]
    line = first.outputs[0]
    (opening,) = [function for function in at_opening(tiny_page) if len(function.outputs) > 100]
    (change,) = [function for function in tiny_page.fns.values() if function.name == "change" and len(function.outputs) > 100]
    told = opening.fn("zh", "")
    assert len(told) > 100 and line not in told
    assert change.fn("zh", *(block.value for block in change.inputs[1:]))[line]["value"] == ""
