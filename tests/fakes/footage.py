"""Small real clips with posters, drawn on the spot for pages that have to play something."""

from pathlib import Path

import av
from PIL import Image, ImageDraw

SIZE = (416, 240)
FPS = 16
COLOURS = [((20, 22, 40), (226, 85, 43)), ((246, 200, 120), (90, 70, 120)), ((200, 225, 235), (47, 143, 99))]


def draw_footage(folder: Path, *, seconds: float = 2) -> Path:
    """Write 0.mp4, 0.jpg, 1.mp4 … into `folder`: a disc that wanders over a plain ground. Returns the folder."""
    for name, (ground, disc) in enumerate(COLOURS):
        pictures = [_picture(ground, disc, step / (seconds * FPS)) for step in range(int(seconds * FPS))]
        pictures[0].save(folder / f"{name}.jpg")
        with av.open(str(folder / f"{name}.mp4"), "w", options={"movflags": "faststart"}) as film:
            stream = film.add_stream("libx264", rate=FPS)
            stream.width, stream.height = SIZE
            stream.pix_fmt = "yuv420p"
            for picture in pictures:
                film.mux(stream.encode(av.VideoFrame.from_image(picture)))
            film.mux(stream.encode())
    return folder


def _picture(ground: tuple[int, int, int], disc: tuple[int, int, int], moment: float) -> Image.Image:
    picture = Image.new("RGB", SIZE, ground)
    left = int(moment * (SIZE[0] - 120))
    ImageDraw.Draw(picture).ellipse((left, 60, left + 120, 180), fill=disc)
    return picture
