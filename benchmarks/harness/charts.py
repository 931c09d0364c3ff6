"""Renders a chart as a self-contained SVG: no script, no external font, the same bytes each time."""

import sys
from math import ceil
from typing import cast
from xml.etree.ElementTree import Element

import pygal
from pygal.style import Style

from benchmarks.harness.report import Chart

# pygal installs a plugin finder of a deprecated kind, which would raise a warning at every later import.
sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]

_COLUMNS = 2
_ROW_PIXELS = 20

_STYLE = Style(
    background="white",
    plot_background="white",
    font_family="sans-serif",
    colors=("#1f6f8b", "#c8553d", "#588157", "#7b5ea7", "#8d8d8d", "#d9a441"),
    title_font_size=16,
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=12,
    value_font_size=10,
    tooltip_font_size=12,
)


def _without_scripts(root: Element) -> Element:
    for parent in root.iter():
        for child in [it for it in parent if it.tag == "script"]:
            parent.remove(child)
    return root


def draw(chart: Chart) -> bytes:
    kind = pygal.Bar if chart.bars else pygal.Line
    svg = kind(
        title=chart.title,
        x_title=chart.x_title or None,
        y_title=chart.y_title or None,
        logarithmic=chart.logarithmic,
        style=_STYLE,
        js=(),
        no_prefix=True,
        disable_xml_declaration=False,
        legend_at_bottom=True,
        legend_at_bottom_columns=_COLUMNS,
        margin_bottom=_ROW_PIXELS * (1 + ceil(len(chart.lines) / _COLUMNS)),
        width=840,
        height=440 + _ROW_PIXELS * ceil(len(chart.lines) / _COLUMNS),
        show_minor_x_labels=True,
        truncate_legend=-1,
        truncate_label=-1,
        # A scale that does not start at zero exaggerates noise.
        include_x_axis=not chart.logarithmic,
        dots_size=3,
    )
    svg.x_labels = list(chart.x_labels)
    for name, values in chart.lines.items():
        svg.add(name, list(values))
    svg.add_xml_filter(_without_scripts)
    return cast("bytes", svg.render())
