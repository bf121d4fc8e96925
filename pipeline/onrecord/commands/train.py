"""``onrecord train``: from labelled data to a model folder."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from onrecord.commands.output import errors_as_messages

EPILOG = """Examples:

onrecord train attribution stance --data data --out models/onrecord-en

onrecord train stance --data data --start models/onrecord-en --out models/mine

onrecord train stance --data data --start models/onrecord-en --teacher mpnet --out models/mine

onrecord train speakers --data data --start models/onrecord-en --out models/mine

Interrupted, the same command goes on from the last finished epoch."""


def train(
    stages: Annotated[
        list[str],
        typer.Argument(help="attribution, stance, speakers; the first two share the encoder."),
    ],
    data: Annotated[Path, typer.Option(help="Folder that holds polnear/, stance/ and speakers/.")],
    out: Annotated[Path, typer.Option(help="Model folder to write.")],
    epochs: Annotated[int | None, typer.Option(help="Passes over the articles.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.")] = None,
    processes: Annotated[
        int, typer.Option(help="Processes that share the data; one for each core.")
    ] = 2,
    start: Annotated[
        Path | None,
        typer.Option(
            help="Model to start from: its encoder and its other stages stay as they are."
        ),
    ] = None,
    tune_encoder: Annotated[
        bool,
        typer.Option(
            "--tune-encoder",
            help="With --start: the encoder learns on; name every stage that is to follow it.",
        ),
    ] = False,
    teacher: Annotated[
        Path | None,
        typer.Option(
            help="Folder of all-mpnet-base-v2, which learns first: attribution and stance learn "
            "from it too."
        ),
    ] = None,
    own_layers: Annotated[
        int, typer.Option(help="Top layers of the encoder that stance gets for its own.")
    ] = 0,
    rate: Annotated[
        float | None, typer.Option(help="Highest learning rate of the encoder.")
    ] = None,
) -> None:
    """Train stages on labelled data and write a model folder."""
    with errors_as_messages():
        from dataclasses import replace

        from onrecord.training.loop import TrainingConfig
        from onrecord.training.train import train as train_stages

        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
        config = TrainingConfig(own_layers=own_layers)
        if epochs is not None:
            config = replace(config, epochs=epochs)
        if seed is not None:
            config = replace(config, seed=seed)
        if rate is not None:
            config = replace(config, encoder_rate=rate)
        folder = train_stages(
            stages,
            data,
            out,
            config=config,
            processes=processes,
            start=start,
            tune_encoder=tune_encoder,
            teacher=teacher,
        )
        typer.echo(f"{folder.path}: {folder.name} written")
