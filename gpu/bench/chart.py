"""A chart of seconds per stage: one bar per way to draw a clip, as an SVG that needs no program but a browser."""

from collections.abc import Mapping, Sequence
from html import escape

from sakuga.engine import RenderStage

STAGES: dict[RenderStage, str] = {"text": "#7a6a58", "denoise": "#c8442b", "decode": "#e0a458", "encode": "#3f6c7a"}
"""In the order of a render, with colours that differ in lightness too."""

WIDTH, LEFT, ROW, BAR, TOP = 900, 270, 26, 16, 54
Bar = tuple[str, Mapping[RenderStage, float]]


def chart(title: str, bars: Sequence[Bar]) -> str:
    """Return the SVG. Each bar has a name and seconds per stage; all have one scale."""
    longest = max((sum(seconds.values()) for _, seconds in bars), default=0.0) or 1.0
    scale = (WIDTH - LEFT - 70) / longest
    height = TOP + ROW * len(bars) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"',
        '  font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fbf7ef"/>',
        f'<text x="14" y="22" font-size="15" font-weight="bold">{escape(title)}</text>',
    ]
    for index, (stage, colour) in enumerate(STAGES.items()):
        at = LEFT + index * 90
        lines.append(f'<rect x="{at}" y="33" width="11" height="11" fill="{colour}"/>')
        lines.append(f'<text x="{at + 16}" y="43">{stage}</text>')
    for index, (name, seconds) in enumerate(bars):
        x, y = float(LEFT), TOP + ROW * index
        lines.append(f'<text x="{LEFT - 10}" y="{y + 13}" text-anchor="end">{escape(name)}</text>')
        for stage, colour in STAGES.items():
            width = seconds.get(stage, 0.0) * scale
            lines.append(f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" fill="{colour}"/>')
            x += width
        lines.append(f'<text x="{x + 6:.1f}" y="{y + 13}">{sum(seconds.values()):.2f} s</text>')
    return "\n".join([*lines, "</svg>", ""])
