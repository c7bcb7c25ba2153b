"""`scenewise places`: the places that a user named, so that coordinates become "home" or "gym"."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import InputError

app = typer.Typer()


@app.command()
def places(
    name: Annotated[
        str | None, typer.Argument(help="A place to name, such as home or office; all are listed where it is left out.")
    ] = None,
    user: Annotated[str, typer.Option("--user", help="Whose places.")] = ...,  # type: ignore[assignment]  # typer: an option that is required
    at: Annotated[str | None, typer.Option("--at", help="latitude,longitude in degrees.")] = None,
    kind: Annotated[str, typer.Option("--type", help="home, gym, cafe, ...; default: the name itself.")] = "",
    radius: Annotated[float, typer.Option("--radius", min=1, max=5_000, help="Metres around the point that are still the place.")] = 150.0,
    forget: Annotated[bool, typer.Option("--forget", help="Forget this place.")] = False,
    store: Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List, name or forget a user's places. Coordinates are kept nowhere else."""
    from scenewise.store.store import Store
    from scenewise.store.types import UserId
    from scenewise.tools.scene.own import forget_place, name_a_place, places_of

    with c.clear_errors(json_):
        if name is not None and not forget and at is None:
            raise InputError("say where the place is with --at latitude,longitude, or --forget it")
        changes = name is not None
        with Store.open(load_settings(store=store).store_path, purpose="places", read_only=not changes) as opened:
            profile = opened.profiles.get(UserId(user))
            if name is not None:
                profile = forget_place(profile, name) if forget else name_a_place(profile, name, _point(at), type=kind, radius_m=radius)
                opened.profiles.save(profile)
            found = places_of(profile)
        if json_:
            c.print_json([asdict(place) for place in found])
            return
        for place in found:
            c.out.print(f"{c.safe(place.name)}  {c.safe(place.type)}  {place.latitude},{place.longitude}  {place.radius_m:.0f} m")


def _point(text: str | None) -> tuple[float, float]:
    place = c.read_place(text)
    if place is None or place.latitude is None or place.longitude is None:
        raise InputError("--at is read as latitude,longitude in degrees, such as 48.1374,11.5755")
    return place.latitude, place.longitude
