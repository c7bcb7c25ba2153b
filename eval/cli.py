"""`scenewise eval`: the figures of the README, each as one command that writes JSON."""

from __future__ import annotations

import shutil
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from scenewise.agent.settings import load_settings
from scenewise.eval.console import (
    Data,
    Format,
    GraphPath,
    Json,
    Out,
    Report,
    Seeds,
    StoreOption,
    Text,
    Titles,
    Tries,
    bar,
    clear_errors,
    measured,
    publish,
    read_data,
    read_seeds,
    vectors_folder,
)
from scenewise.eval.copy_cli import copies, copy
from scenewise.eval.plan_cli import plan, plans
from scenewise.eval.simulate_cli import simulate
from scenewise.eval.speed_cli import changes, graph_speed, latency, load, speed

app = typer.Typer(no_args_is_help=True, help="Measure: ranking, clicks, ratings, cold starts, the graph, scenes, speed, turns.")
for command in (copy, copies, plan, plans, simulate, speed, latency, changes, load):
    app.command()(command)
app.command(name="graph-speed")(graph_speed)
NOW_S = 1_777_888_800.0  # the clock of generated turns: the same run gives the same turns


@app.command()
def turns(
    n: Annotated[int, typer.Option("-n", "--turns", min=1, help="How many turns.")] = 200,
    seed: Annotated[int, typer.Option("--seed")] = 0,
    llm: Annotated[str, typer.Option("--llm", help="running: that of the settings; off: none; down: none answers.")] = "running",
    store: StoreOption = None,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Generated conversations: items outside the catalogue, copy that disagrees, plans that fail, and our own time a turn."""
    from scenewise.agent.agent import Agent
    from scenewise.agent.model import VllmModel
    from scenewise.eval.turns import run_turns

    with clear_errors():
        settings = load_settings(store=store, llm_off=True if llm == "off" else None)
        model = VllmModel("http://127.0.0.1:9/v1", "down") if llm == "down" else None
        with TemporaryDirectory() as scratch, bar("turns") as progress:
            copy = Path(scratch) / "store"  # turns are kept and tastes stated: not in the store that is measured
            shutil.copytree(settings.store_path, copy)
            with Agent.open(copy, settings=settings, model=model, clock=lambda: NOW_S) as agent:
                agent.turn("hello", None)
                result = run_turns(agent, n, seed=seed, now=datetime.fromtimestamp(NOW_S), progress=progress) | {"llm": llm}
        publish(result, out, json_)
        if any(result["failures"].values()):
            raise typer.Exit(1)


@app.command()
def ranking(
    data: Annotated[Path | None, typer.Option("--data", help="As in the other commands; default: the demo's MovieLens-100k.")] = None,
    format_: Format = "auto",
    titles: Titles = None,
    graph: GraphPath = None,
    protocol: Annotated[str, typer.Option("--protocol", help="loo (last event), temporal, or given (as split).")] = "loo",
    seeds: Seeds = "0,1,2",
    tries: Annotated[int, typer.Option("--tries", min=1, max=50, help="Settings that a model may try on validation.")] = 8,
    without: Annotated[str, typer.Option("--without", help="Models to leave out, with commas: transformer, ease, ...")] = "",
    text: Text = True,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Full ranking, seen items masked: every collaborative model, the Transformer, and the product's final list beside them."""
    from scenewise.eval.ranking import run

    def work(progress: Report) -> dict[str, Any]:
        chosen: dict[str, Any] = {
            "without": frozenset(word for word in without.split(",") if word),
            "text": text,
            "cache": vectors_folder(),
        }
        dataset = read_data(data or load_settings().home / "data" / "ml-100k" / "ml-100k.inter", format_, titles, graph)
        return run(dataset, protocol=protocol, seeds=read_seeds(seeds), tries=tries, progress=progress, **chosen)

    measured("models", work, out, json_)


@app.command()
def ctr(
    data: Data,
    format_: Format = "auto",
    model: Annotated[str, typer.Option("--model", help="fm, deepfm or both.")] = "both",
    test_on: Annotated[str, typer.Option("--test-on", help="The test part by a word of the context, such as stage=Stage3.")] = "",
    seeds: Seeds = "0,1,2,3,4",
    tries: Tries = 6,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Click-through: AUC and log loss of the factorisation machine and DeepFM, with and without the moment."""
    from scenewise.eval.ctr import run

    def work(progress: Report) -> dict[str, Any]:
        return run(read_data(data, format_), model=model, seeds=read_seeds(seeds), tries=tries, test_on=test_on, progress=progress)

    measured("trainings", work, out, json_)


@app.command()
def rating(
    data: Data, format_: Format = "auto", seeds: Seeds = "0,1,2,3,4", tries: Tries = 6, out: Out = None, json_: Json = False
) -> None:
    """Ratings: RMSE and MAE of biases, neighbours and the factorisation machine, with and without the moment."""
    from scenewise.eval.rating import run

    measured("trainings", lambda report: run(read_data(data, format_), seeds=read_seeds(seeds), tries=tries, progress=report), out, json_)


@app.command(name="cold-start")
def cold_start(
    data: Data,
    format_: Format = "auto",
    titles: Titles = None,
    graph: GraphPath = None,
    what: Annotated[str, typer.Option("--what", help="items (without events), domains (new to one) or users.")] = "items",
    seeds: Seeds = "0,1,2,3,4",
    text: Text = True,
    out: Out = None,
    json_: Json = False,
) -> None:
    """What is new: items without any event, users new to a domain, users with hardly any history."""
    from scenewise.eval.cold_start import run

    def work(progress: Report) -> dict[str, Any]:
        dataset = read_data(data, format_, titles, graph)
        return run(dataset, what=what, seeds=read_seeds(seeds), text=text, cache=vectors_folder(), progress=progress)

    measured("models", work, out, json_)


@app.command(name="graph-value")
def graph_value(
    data: Data,
    format_: Format = "auto",
    titles: Titles = None,
    graph: GraphPath = None,
    seeds: Seeds = "0,1,2,3,4",
    out: Out = None,
    json_: Json = False,
) -> None:
    """Does the graph earn its place? The real one against none and against a random one of the same shape."""
    from scenewise.eval.graph_value import run

    measured("models", lambda report: run(read_data(data, format_, titles, graph), seeds=read_seeds(seeds), progress=report), out, json_)


@app.command(name="graph-build")
def graph_build(
    data: Annotated[Path, typer.Option("--data", help="The folder of movies/redial-kg or shopping/retail-demo.")],
    labels: Annotated[Path, typer.Option("--labels", help="Edges labelled by hand: eval/graph/plots.jsonl or products.jsonl.")],
    reading: Annotated[str, typer.Option("--reading", help="spans, choose or write: as in `scenewise graph build`.")] = "spans",
    llm_weight: Annotated[float, typer.Option("--llm-weight", min=0.0, max=10.0, help="choose: how much the LLM's word counts.")] = 0.0,
    out: Out = None,
    json_: Json = False,
) -> None:
    """How true the edges are that are read out of texts: precision with 95% bounds, recall, evidence, tokens, seconds."""
    from scenewise.agent.graph_reader import make_extractor
    from scenewise.eval.graph_build import measure, read_labels, read_texts
    from scenewise.tools.graph.schema import load_schema
    from scenewise.tools.retrieval.encoders import default_encoders

    def work(progress: Report) -> dict[str, Any]:
        domain, texts = read_texts(data)
        extractor = make_extractor(reading, load_schema(), default_encoders().english, load_settings(), weight=llm_weight)
        begun = time.perf_counter()
        result = measure(extractor, load_schema(), texts, domain, read_labels(labels), report=progress)
        return {"data": data.name, "labels": labels.name, "seed": 0} | result | {"seconds": round(time.perf_counter() - begun, 1)}

    measured("texts", work, out, json_)


@app.command(name="cross-scene")
def cross_scene(
    data: Data,
    scene: Annotated[str, typer.Option("--scene", help="Columns of the moment that make the scenes, with commas.")],
    format_: Format = "auto",
    epochs: Annotated[int, typer.Option("--epochs", min=1, max=200, help="Epochs of the Transformer at most.")] = 12,
    seeds: Seeds = "0,1,2",
    out: Out = None,
    json_: Json = False,
) -> None:
    """One Transformer for all scenes against one that is blind to them and one a scene: does any scene lose?"""
    from scenewise.eval.cross_scene import run
    from scenewise.tools.ranking.transformer import TransformerConfig

    def work(progress: Report) -> dict[str, Any]:
        columns = [word for word in scene.split(",") if word]
        config = TransformerConfig(epochs=epochs)
        return run(read_data(data, format_), columns=columns, seeds=read_seeds(seeds), config=config, progress=progress)

    measured("seeds", work, out, json_)


@app.command()
def scene(
    train: Annotated[str, typer.Option("--train", help="Texts and labels; of a JSON object, after a colon, the parts: all.json:train.")],
    cases: Annotated[str, typer.Option("--cases", help="Texts and labels to be read; the labels oos and none are out of scope.")],
    shots: Annotated[int | None, typer.Option("--shots", min=1, help="Examples of each label to learn from; all where left out.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Which examples, and the order of training.")] = 0,
    tune: Annotated[bool, typer.Option("--tune/--no-tune", help="Tune the encoder's upper layers, or train the head alone.")] = True,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Labelled texts: accuracy, out of scope, calibration and time of the few-shot classifier that reads scenes."""
    from scenewise.eval.scene_texts import read_labelled, run
    from scenewise.tools.retrieval.encoders import default_encoders

    def work(progress: Report) -> dict[str, Any]:
        known = read_labelled(train, training=True)
        known = known.sample(shots, seed=seed) if shots else known
        asked = read_labelled(cases, training=False)
        names = {"train": train.rpartition("/")[2], "cases": cases.rpartition("/")[2], "shots": shots}
        return names | run(known, asked, default_encoders(load_settings().encoder), tune=tune, seed=seed, progress=progress)

    measured("steps", work, out, json_)


@app.command(name="scene-moments")
def scene_moments(
    file: Annotated[Path, typer.Option("--file", help="The cases, as eval/scene/README.md describes them.")] = Path(
        "eval/scene/moments.jsonl"
    ),
    split: Annotated[str, typer.Option("--split", help="dev, test or all; report test only.")] = "test",
    pack: Annotated[Path | None, typer.Option("--pack", help="A scenes.toml; default: the one that comes with the product.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    tune: Annotated[bool, typer.Option("--tune/--no-tune", help="Tune the encoder's upper layers, or train the head alone.")] = True,
    out: Out = None,
    json_: Json = False,
) -> None:
    """The gold set of moments: macro-F1 with all signals and without each, abstention, calibration, by language."""
    from scenewise.eval.scene_moments import read_moments, run
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.scene.pack import default_pack, load_pack

    def work(progress: Report) -> dict[str, Any]:
        cases, scenes = read_moments(file, split), load_pack(pack) if pack else default_pack()
        return {"split": split} | run(cases, scenes, default_encoders(load_settings().encoder), tune=tune, seed=seed, progress=progress)

    measured("cases", work, out, json_)


@app.command(name="scene-value")
def scene_value(
    data: Data,
    scene: Annotated[str, typer.Option("--scene", help="Columns of the moment that make the true scene, with commas.")],
    format_: Format = "auto",
    seeds: Seeds = "0,1,2",
    tries: Annotated[int, typer.Option("--tries", min=1, max=6, help="Settings that may be tried on validation.")] = 2,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Does the scene matter? One ranking model told the true scene, the recognised one, and none."""
    from scenewise.eval.scene_value import run
    from scenewise.tools.retrieval.encoders import default_encoders
    from scenewise.tools.scene.pack import default_pack
    from scenewise.tools.scene.recogniser import SceneRecogniser

    def work(progress: Report) -> dict[str, Any]:
        columns = [word for word in scene.split(",") if word]
        recogniser = SceneRecogniser(default_pack(), default_encoders(load_settings().encoder))
        return run(read_data(data, format_), recogniser, columns, seeds=read_seeds(seeds), tries=tries, progress=progress)

    measured("trainings", work, out, json_)


@app.command()
def conversation(
    cases: Annotated[Path, typer.Option("--cases", help="Turns to rank for, JSON lines: dialog_id, context, entity, rec, resp.")],
    kg: Annotated[Path, typer.Option("--kg", help="The folder of the named graph: entity2id, item_ids, kg, id2info.")],
    train: Annotated[list[Path] | None, typer.Option("--train", help="Turns to learn from; without: five folds of the cases.")] = None,
    ratings: Annotated[Path | None, typer.Option("--ratings", help="A movielens set; default: ml-latest-small beside the graph.")] = None,
    ablation: Annotated[bool, typer.Option("--ablation/--no-ablation", help="Also learn without each group of signals.")] = True,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Folds and beginnings of the networks.")] = 0,
    out: Out = None,
    json_: Json = False,
) -> None:
    """Dialogues: Recall@k and MRR of the next recommended item among all, for all targets and for those not named yet."""
    from scenewise.eval.conversation import run
    from scenewise.eval.data.dialogues import read_domain, read_examples, read_ratings
    from scenewise.tools.retrieval.encoders import default_encoders

    def work(progress: Report) -> dict[str, Any]:
        domain, turns = read_domain(kg), read_examples(cases)
        known = [path for path in train or [] if path.resolve() != cases.resolve()]
        learned = [example for path in known for example in read_examples(path)] if known else None
        beside = kg.resolve().parent / "ml-latest-small"
        folder = ratings or (beside if beside.is_dir() else None)
        rated = None if folder is None else read_ratings(folder, kg, domain)
        encoder = default_encoders().english
        return {"cases": cases.name, "ratings": folder and folder.name} | run(
            domain, turns, learned, encoder, ratings=rated, ablation=ablation, seed=seed, progress=progress
        )

    measured("trainings", work, out, json_)


@app.command()
def report(
    results: Annotated[Path, typer.Argument(help="The folder of result files.")] = Path("eval/results"),
    out: Annotated[Path, typer.Option("--out", help="Where the pictures and the page go.")] = Path("report"),
) -> None:
    """Draw what was measured: quality against cost, growth, recall by history and popularity (PNG and one HTML page)."""
    from scenewise.eval.report import write_report

    with clear_errors():
        for path in write_report(results, out):
            typer.echo(path)


@app.command()
def tables(
    pages: Annotated[list[Path], typer.Argument(help="The files whose tables are filled in.")] = [  # noqa: B006  (typer reads it once)
        Path("README.md"),
        Path("docs/benchmarks.md"),
    ],
) -> None:
    """Make the tables of the README and of docs/benchmarks.md again from eval/results."""
    from scenewise.eval.tables import fill

    for page in pages:
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
