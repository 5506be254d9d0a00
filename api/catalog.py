"""GET /catalog: what can be asked for."""

from fastapi import APIRouter
from pydantic import Field

from api.documents import Document
from api.door import reads
from api.errors import described
from api.state import Studio
from sakuga.catalog import Catalog
from sakuga.engine import EngineSpec, Mode, Preset

router = APIRouter(tags=["catalog"])


class StyleDocument(Document):
    """A style to ask for by name."""

    name: str = Field(examples=["neon"])
    title: str = Field(examples=["Neon rain"])
    summary: str = Field(examples=["A city at night, wet streets, signs."])


class CharacterDocument(StyleDocument):
    """A character to ask for by name."""

    name: str = Field(examples=["hana"])
    title: str = Field(examples=["Hana"])
    summary: str = Field(examples=["A courier with a red scarf."])
    engines: list[str] = Field(description="Those of the engines below that draw this character.")
    made_for: list[str] = Field(
        description="Engines that the studio file names for it, offered below or not; any if empty.",
        examples=[["wan2.1-t2v-1.3b"]],
    )


class EngineDocument(Document):
    """An engine to ask for by name."""

    name: str = Field(examples=["rehearsal"])
    summary: str = Field(examples=["Draws on the CPU, without a model."])
    shortest: float = Field(description="Seconds.", examples=[2.0])
    longest: float = Field(description="Seconds.", examples=[8.0])
    default: float = Field(description="Seconds.", examples=[5.0])
    presets: list[Preset] = Field(description="What may be asked for, the usual one first.")
    modes: list[Mode] = Field(description="What a render can begin with.")
    sizes: list[str] = Field(description="In pixels; a preset may have one of its own.", examples=[["832x480"]])
    sound: bool = Field(description="Whether its clips have sound.")
    licence: str | None = Field(description="Of its weights, where it has any.", examples=["Apache-2.0"])

    @classmethod
    def of(cls, spec: EngineSpec, catalog: Catalog) -> "EngineDocument":
        """Describe an engine."""
        return cls(
            name=spec.name,
            summary=spec.summary,
            shortest=spec.shortest_s,
            longest=spec.longest_s,
            default=spec.default_s,
            presets=catalog.presets_of(spec),
            modes=list(spec.modes),
            sizes=[f"{width}x{height}" for width, height in spec.sizes],
            sound=spec.sound,
            licence=spec.licence.name if spec.licence else None,
        )


class CatalogDocument(Document):
    """What can be asked for."""

    title: str = Field(description="Name of the show.", examples=["Sakuga"])
    style: str = Field(description="The style of requests that name none, now.", examples=["anime"])
    cast: list[str] = Field(
        default_factory=list, description="Characters in requests that name none, if they can be drawn.", examples=[[]]
    )
    styles: list[StyleDocument]
    characters: list[CharacterDocument]
    engines: list[EngineDocument] = Field(description="The first draws requests that name none, if it can.")
    prompt_limit: int = Field(description="Characters.", examples=[300])


@router.get("/catalog", dependencies=reads(), responses=described(), summary="Styles, characters and engines")
async def catalog(studio: Studio) -> CatalogDocument:
    """Return the names that POST /generate takes."""
    shown, specs, show = studio.catalog, await studio.specs(), await studio.shows.now()
    return CatalogDocument(
        title=shown.title,
        style=show.style if show.style in shown.styles else shown.style,
        cast=[name for name in show.characters or () if name in shown.characters],
        styles=[
            StyleDocument(name=name, title=style.title, summary=style.summary) for name, style in shown.styles.items()
        ],
        characters=[
            CharacterDocument(
                name=name,
                title=character.title,
                summary=character.summary,
                engines=[spec.name for spec in specs.values() if shown.drawn_by(spec, [name])],
                made_for=list(character.engines),
            )
            for name, character in shown.characters.items()
        ],
        engines=[EngineDocument.of(spec, shown) for spec in specs.values()],
        prompt_limit=shown.limits.prompt_length,
    )
