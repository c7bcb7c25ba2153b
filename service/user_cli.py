"""`scenewise user`: show, change, export and forget what is kept of a user, also while an agent has the store open."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.service import console as c
from scenewise.store.errors import NotFound
from scenewise.store.persons import export_user, forget_user, person_of, profile_of
from scenewise.store.store import Store
from scenewise.store.types import ItemId, Profile, Taste, UserId
from scenewise.tools.catalogue.catalogue import Catalogue
from scenewise.tools.profile.tastes import Action, change_taste, lock
from scenewise.tools.profile.tool import resolve

app = typer.Typer(
    no_args_is_help=True, help="Show, change, export and forget what is kept of a user; a running agent knows it at its next turn."
)
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
StoreOption = Annotated[Path | None, typer.Option("--store", help="The store's folder; default: the demo store.")]
User = Annotated[str, typer.Argument(metavar="USER", help="The user's id, or platform:id of one who is linked.")]
Attribute = Annotated[str, typer.Argument(help="item, domain, genre, creator, or another attribute of the catalogue.")]
Value = Annotated[str, typer.Argument(help="The thing; for item a title or an id.")]


Platform = Annotated[str, typer.Argument(help="The other platform's name.")]
PlatformUser = Annotated[str, typer.Argument(help="Their id on it.")]


def _beside(store: Path | None) -> Store:
    return Store.open(load_settings(store=store).store_path, beside=True, purpose="user")


@app.command()
def show(user: User, store: StoreOption = None, json_: Json = False) -> None:
    """Show a user's profile, identities, and how much else is kept of them."""
    with c.clear_errors(json_), Store.open(load_settings(store=store).store_path, read_only=True) as opened:
        user_id = person_of(opened, UserId(user))
        taken, profile = export_user(opened, user_id), profile_of(opened, user_id)
        counts = {"events": len(taken["events"]), "conversations": len(taken["conversations"])}
        if json_:
            own = {name: taken[name] for name in ("user_id", "attributes", "identities", "profile")}
            c.print_json(own | counts)
        else:
            _print(taken, profile, counts, opened)


@app.command()
def export(
    user: User,
    out: Annotated[Path | None, typer.Option("--out", help="File to write; default: print.")] = None,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Give all that is kept of a user as one JSON document."""
    with c.clear_errors(json_), Store.open(load_settings(store=store).store_path, read_only=True) as opened:
        taken = export_user(opened, person_of(opened, UserId(user)))
        if out is None:
            c.print_json(taken)
        else:
            out.write_text(json.dumps(taken, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            c.err.print(f"written to {c.safe(str(out))}")


@app.command()
def forget(
    user: User,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Delete everything of a user and their identities and overwrite it. Exit code 3 where nothing is kept of them."""
    with c.clear_errors(json_), _beside(store) as opened:
        user_id = person_of(opened, UserId(user))
        if not yes and not json_:
            typer.confirm("Everything of this user is deleted for good. Go on?", abort=True)
        if not forget_user(opened, user_id):
            raise NotFound("nothing is kept of a user with this id")
        _say("forgotten", json_)


@app.command()
def link(user: User, platform: Platform, platform_user_id: PlatformUser, store: StoreOption = None, json_: Json = False) -> None:
    """Say that a user is somebody on another platform; they must have agreed to it."""
    with c.clear_errors(json_), _beside(store) as opened:
        opened.users.link(UserId(user), platform, platform_user_id)
        _say("linked", json_)


@app.command()
def unlink(platform: Platform, platform_user_id: PlatformUser, store: StoreOption = None, json_: Json = False) -> None:
    """Part an identity from its user. Exit code 3 where it was linked to nobody."""
    with c.clear_errors(json_), _beside(store) as opened:
        if not opened.users.unlink(platform, platform_user_id):
            raise NotFound("this identity is linked to nobody")
        _say("unlinked", json_)


@app.command()
def like(user: User, attribute: Attribute, value: Value, store: StoreOption = None, json_: Json = False) -> None:
    """Keep that a user likes something."""
    _edit(user, "like", attribute, value, store, json_)


@app.command()
def dislike(user: User, attribute: Attribute, value: Value, store: StoreOption = None, json_: Json = False) -> None:
    """Keep that a user dislikes something: it is not recommended any more."""
    _edit(user, "dislike", attribute, value, store, json_)


@app.command()
def remove(user: User, attribute: Attribute, value: Value, store: StoreOption = None, json_: Json = False) -> None:
    """Take a like or a dislike out of the profile."""
    _edit(user, "remove", attribute, value, store, json_)


@app.command(name="lock")
def lock_(
    user: User,
    attribute: Attribute,
    value: Value,
    off: Annotated[bool, typer.Option("--off", help="Unlock it.")] = False,
    store: StoreOption = None,
    json_: Json = False,
) -> None:
    """Lock a taste of the profile: no conversation changes it."""
    with c.clear_errors(json_), _beside(store) as opened:
        value = resolve(Catalogue.from_store(opened), attribute, value)
        user_id = person_of(opened, UserId(user))
        with opened.transaction():
            profile = lock(opened.profiles.get(user_id), attribute, value, locked=not off)
            opened.profiles.save(profile)
        _report(profile, opened, json_)


def _say(word: str, as_json: bool) -> None:
    if as_json:
        c.print_json({word: True})
    else:
        c.out.print(word)


def _edit(user: str, action: Action, attribute: str, value: str, store: Path | None, json_: bool) -> None:
    with c.clear_errors(json_), _beside(store) as opened:
        taste = Taste(attribute, resolve(Catalogue.from_store(opened), attribute, value), source="edited", time_s=time.time())
        user_id = person_of(opened, UserId(user))
        with opened.transaction():
            profile = change_taste(opened.profiles.get(user_id), action, taste)
            opened.profiles.save(profile)
        _report(profile, opened, json_)


def _report(profile: Profile, store: Store, as_json: bool) -> None:
    if as_json:
        c.print_json({name: [asdict(taste) for taste in tastes] for name, tastes in _tastes(profile)})
    else:
        for name, tastes in _tastes(profile):
            for taste in tastes:
                _print_taste(name, taste, store)


def _tastes(profile: Profile) -> tuple[tuple[str, tuple[Taste, ...]], ...]:
    return ("likes", profile.likes), ("dislikes", profile.dislikes)


def _print(taken: dict[str, Any], profile: Profile, counts: dict[str, int], store: Store) -> None:
    c.out.print(f"[bold]{c.safe(taken['user_id'])}[/]  " + "  ".join(f"{name} {count:,}" for name, count in counts.items()))
    for name, value in taken["attributes"].items():
        c.out.print(f"  {c.safe(name)}: {c.safe(value)}")
    for one in taken["identities"]:
        c.out.print(f"  is {c.safe(one['user_id'])} on {c.safe(one['platform'])}")
    _report(profile, store, False)
    for name, rule in profile.constraints.items():
        if "." not in name:
            c.out.print(f"  {c.safe(name)}: {c.safe(rule)}")


def _print_taste(name: str, taste: Taste, store: Store) -> None:
    shown = taste.value
    if taste.attribute == "item":
        found = store.items.get_many([ItemId(taste.value)]).get(ItemId(taste.value))
        shown = found.title if found else "an item no longer there"
    since = f" since {time.strftime('%Y-%m-%d', time.localtime(taste.time_s))}" if taste.time_s else ""
    mark = " [bold]locked[/]" if taste.locked else ""
    c.out.print(
        f"  {name} {c.safe(taste.attribute)} {c.safe(shown)}{mark}  [dim]{c.safe(taste.source)}{since}, strength {taste.strength:g}[/]"
    )
