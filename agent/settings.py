"""Settings: environment variables `SCENEWISE_*`, then `scenewise.toml` in the home folder, then these defaults."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from scenewise.store.errors import InputError


def default_home() -> Path:
    """Where models, the vLLM environment and the demo store live: $SCENEWISE_HOME, else the nearest `.scenewise` folder here or above
    (as `make demo` makes it in a checkout), else the user's data folder."""
    if named := os.environ.get("SCENEWISE_HOME"):
        return Path(named)
    here = Path.cwd()
    near = next((folder / ".scenewise" for folder in (here, *here.parents) if (folder / ".scenewise").is_dir()), None)
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return near or Path(base) / "scenewise"


class Settings(BaseSettings):
    """What can be set. Unknown names are refused."""

    model_config = SettingsConfigDict(env_prefix="SCENEWISE_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home)
    """Folder of models, environments and the demo store."""
    store: Path | None = None
    """The store to use; None is the demo store in `home`."""
    llm_url: str | None = None
    """Base URL of any OpenAI-compatible vLLM, for example http://gpu-box:8000/v1; None uses the one started by `scenewise llm start`."""
    llm_model: str | None = None
    """The name that the server gives its model; None asks the server."""
    llm_api_key: SecretStr = SecretStr("EMPTY")
    """Sent as a bearer token."""
    llm_off: bool = False
    """Answer without an LLM: scene model, default plan and template copy."""
    deadline_s: float = Field(20.0, gt=0)
    """Seconds that a turn may spend waiting for the LLM, planning and writing together."""
    plan_tokens: int = Field(120, ge=16)
    """Tokens a plan may have."""
    planning: Literal["auto", "short", "tools"] = "auto"
    """How plans are asked for: in the short writing that the models of `scenewise train planner` know, as tool calls from any other; "auto"
    takes the short one where the served model's name begins with "scenewise"."""
    tool_detail: Literal["short", "full"] = "short"
    """How much of the tools' schemas the LLM sees; "full" suits models of some billion parameters."""
    writing: Literal["guided", "free"] = "guided"
    """How copy is written: within a pattern of what the evidence bears out, or freely and then checked; "free" suits larger models."""
    style: Path | None = None
    """The style.toml that written copy (`Agent.write_copy`, `scenewise copy`) is held to besides the product's own."""
    encoder: str | None = None
    """A sentence-transformers model (folder or name) for English text; None is the MiniLM that ships as a package."""
    keep_tastes: bool = True
    """Keep in a profile what its user says to like or dislike, and what they put right about scenes and places."""
    seed: int = 0
    """Seed of tie-breaks, of the variation in template copy, and of exploration."""
    exploration: float = Field(0.0, ge=0, le=10)
    """Temperature of chance in the list, 0 for none; 0.02 costs little relevance. Each item then carries its propensity."""

    @property
    def store_path(self) -> Path:
        """The store's folder."""
        return self.store or self.home / "demo"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments win over the environment, the environment over the file."""
        toml = TomlConfigSettingsSource(settings_cls, toml_file=default_home() / "scenewise.toml")
        return init_settings, env_settings, toml


def load_settings(**overrides: object) -> Settings:
    """Read the settings; raise InputError naming the setting that is wrong."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"scenewise.toml in the home folder is not TOML: {error}") from error
