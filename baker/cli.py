"""The command line. Each command parses, makes one call and prints; errors are caught in one place."""

from __future__ import annotations

import errno
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from baker import __version__
from baker.errors import BakerError, EngineError, NetworkError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from baker.pipeline import Request
    from baker.project import Project

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

models_app = typer.Typer(no_args_is_help=True, help="Fetch the models that the services' configs name.")
app.add_typer(models_app, name="models")

Names = Annotated[list[str] | None, typer.Argument(metavar="[SERVICES]...", help="Names of folders under services/.")]
Folder = Annotated[
    Path | None, typer.Option("--project", "-C", help="The project's folder; else the one that this folder lies in.")
]
Base = Annotated[
    str | None,
    typer.Option("--base", help="auto, nvidia or debian. auto takes nvidia when its registry answers, else debian."),
]
Accel = Annotated[str | None, typer.Option("--accel", help="cuda or cpu.")]
Capabilities = Annotated[
    list[str] | None,
    typer.Option("--compute-cap", help="Compute capability, as in 8.0; several give a binary each: 7.5,8.0."),
]
Variant = Annotated[
    str | None, typer.Option("--variant", help="slim, or builder: with the toolchain, to compile what is not baked.")
]
Builder = Annotated[str | None, typer.Option("--builder", help="The buildx builder; else the current one.")]
Tag = Annotated[str | None, typer.Option("--tag", help="The moving tag; else the one in baker.toml.")]
AllVoices = Annotated[
    bool, typer.Option("--all-voices", help="Every voice that matches, not only those in the default one's folder.")
]
CheckModels = Annotated[
    bool, typer.Option("--check", help="Fetch nothing; say what is missing or damaged, and end with 5.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]


def main() -> None:
    """Run the command line; the exit code is the error's."""
    try:
        app(standalone_mode=True)
    except BakerError as error:
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        where = error.filename or "the disk"
        typer.echo(
            f"error: no space left on {where}: `docker system df` and `docker buildx du` show what takes it", err=True
        )
        sys.exit(EngineError.exit_code)


@app.callback(invoke_without_command=True)
def top(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:  # noqa: FBT002 - Typer's way
    """Bake moshi-server into container images: compiled, locked, ready to start.

    `baker build stt tts` makes the images, `docker compose up` runs them.
    """
    if version:
        typer.echo(f"baker {__version__}")
        raise typer.Exit


@app.command()
def build(
    services: Names = None,
    project: Folder = None,
    base: Base = None,
    accel: Accel = None,
    compute_cap: Capabilities = None,
    variant: Variant = None,
    builder: Builder = None,
    tag: Tag = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Build, verify and tag the images of services; without names, of all.

    Examples:
        baker build stt tts

        baker build stt --compute-cap 7.5,8.0     one binary each, for Turing and for everything newer

        baker build --base debian --accel cpu     no registry, no card
    """
    from baker import pipeline, report  # noqa: PLC0415 - heavy, and --help has no use for it

    console = _console(err=as_json)
    request = _request(
        services, project, base=base, accel=accel, caps=compute_cap, variant=variant, builder=builder, tag=tag
    )
    receipts = pipeline.build_images(request, os.environ, console)
    if as_json:
        typer.echo(json.dumps([asdict(receipt) for receipt in receipts], indent=2))
    else:
        report.receipts(receipts, console)


@app.command()
def render(
    services: Names = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")] = Path("context"),
    project: Folder = None,
    base: Base = None,
    accel: Accel = None,
    compute_cap: Capabilities = None,
    variant: Variant = None,
    link: Annotated[bool, typer.Option(help="Use COPY --link, which needs Docker 23 or BuildKit 0.10.")] = True,  # noqa: FBT002
) -> None:
    """Write the Dockerfile, docker-bake.json and all that they copy, without Docker.

    Examples:
        baker render stt tts --base debian --output out

        docker buildx build --target stt out
    """
    from baker import pipeline  # noqa: PLC0415

    console = _console(err=True)
    request = _request(services, project, base=base, accel=accel, caps=compute_cap, variant=variant)
    planned = pipeline.make_plan(request, pipeline.choose(request, console, link=link, make_root=False))
    pipeline.write_context(request, planned, output)
    console.print(f"wrote {output}/Dockerfile and {output}/docker-bake.json", highlight=False)


@app.command()
def verify(
    services: Names = None,
    project: Folder = None,
    base: Base = None,
    accel: Accel = None,
    compute_cap: Capabilities = None,
    variant: Variant = None,
    tag: Tag = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Check images that are here: libraries, start, user, size, labels. `build` does the same before it tags.

    Example:
        baker verify stt tts
    """
    from baker import pipeline, report  # noqa: PLC0415

    request = _request(services, project, base=base, accel=accel, caps=compute_cap, variant=variant, tag=tag)
    results = pipeline.verify_images(request, _console(err=True))
    if as_json:
        typer.echo(json.dumps({name: [asdict(item) for item in checks] for name, checks in results.items()}, indent=2))
    else:
        report.checks(results, _console())
    pipeline.require_all(results)


@app.command()
def doctor(
    project: Folder = None,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Look at this machine: engine, buildx, compose, registry, disk, card. Says what to do about what is missing.

    Example:
        baker doctor
    """
    from baker import doctor as examine  # noqa: PLC0415
    from baker import report  # noqa: PLC0415

    findings = examine.examine(_find(project), os.environ)
    if as_json:
        typer.echo(json.dumps([asdict(item) for item in findings], indent=2))
    else:
        report.findings(findings, _console())
    if any(item.state == "missing" for item in findings):
        raise typer.Exit(4)


@app.command()
def lock(
    project: Folder = None,
    upgrade: Annotated[
        list[str] | None, typer.Option("--upgrade", help="Take the newest of a crate, of uv, or of a Python package.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when something would change.")] = False,  # noqa: FBT002
) -> None:
    """Write baker.lock and each uv.lock: every outside version that a build takes. `build` only reads them.

    Examples:
        baker lock                           pin what a new service brought

        baker lock --upgrade moshi-server    take the crate's newest version
    """
    from baker import lock as locking  # noqa: PLC0415

    changes = locking.update(_find(project), tuple(upgrade or ()), write=not check)
    for change in changes:
        typer.echo(change)
    if check and changes:
        raise typer.Exit(3)
    if not changes:
        typer.echo("nothing changed", err=True)


@models_app.command("pull")
def models_pull(
    services: Names = None,
    project: Folder = None,
    cache: Annotated[
        Path | None, typer.Option("--cache", help="The Hugging Face cache; else $HF_HOME or ~/.cache/huggingface.")
    ] = None,
    volume: Annotated[
        str | None, typer.Option("--volume", help="A volume instead, by its own name or by that in a compose file.")
    ] = None,
    all_voices: AllVoices = False,  # noqa: FBT002
    check: CheckModels = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Fetch the models of services into a Hugging Face cache, and check their size and sha256.

    What was interrupted goes on where it stopped. A token comes from HF_TOKEN or HUGGING_FACE_HUB_TOKEN alone.

    Examples:
        baker models pull stt tts                         into ~/.cache/huggingface

        baker models pull stt tts --volume huggingface    into the volume of docker-compose.yml

        baker models pull tts --check                     is everything there?
    """
    from baker import bar, hub, pull, report, shelf  # noqa: PLC0415

    if cache and volume:
        raise UsageError("--cache and --volume are two places: give one")
    console = _console(err=True)
    request = _request(services, project)
    wanted, at = pull.needs(request), hub.connect(os.environ)
    folder = (cache or pull.home(os.environ)).expanduser()
    with pull.open_cache(request, folder, volume, writing=not check) as store, bar.progress(console) as shown:
        if check:
            found = shelf.check(wanted, store, at, shown, console.print, everything=all_voices)
        else:
            found = pull.pull(wanted, store, at, shown, everything=all_voices)
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in found], indent=2))
    else:
        report.models(found, store.where, _console())
    if any(state.state in shelf.BAD for state in found):
        raise typer.Exit(NetworkError.exit_code)


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.")],
) -> None:
    """Lay out a project to edit: services/, baker.toml, baker.lock, docker-compose.yml and a Makefile.

    Example:
        baker init speech && cd speech && make images
    """
    from baker import init as laying  # noqa: PLC0415

    for path in laying.lay_out(folder):
        typer.echo(f"wrote {path}")


def _find(folder: Path | None) -> Project:
    from baker import project  # noqa: PLC0415

    start = (folder or Path.cwd()).resolve()
    return project.find(start)


def _request(
    services: list[str] | None,
    folder: Path | None,
    *,
    base: str | None = None,
    accel: str | None = None,
    caps: list[str] | None = None,
    variant: str | None = None,
    builder: str | None = None,
    tag: str | None = None,
) -> Request:
    from baker import pipeline  # noqa: PLC0415
    from baker import settings as options  # noqa: PLC0415

    found = _find(folder)
    settings = found.settings()
    chosen: dict[str, object] = {
        "base": base and options.one_of(base, options.BASES, "--base"),
        "accel": accel and options.one_of(accel, options.ACCELS, "--accel"),
        "capabilities": caps and options.parse_capabilities(caps, "--compute-cap"),
        "variant": variant and options.one_of(variant, options.VARIANTS, "--variant"),
        "builder": builder,
        "tag": tag,
    }
    settings = replace(settings, **{key: value for key, value in chosen.items() if value})  # type: ignore[arg-type]
    return pipeline.Request(project=found, settings=settings, services=found.services(tuple(services or ())))


def _console(*, err: bool = False) -> Console:
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=err, soft_wrap=True)
