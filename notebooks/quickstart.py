# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A run in a notebook
#
# `make run` annotates the articles of `corpus/` into `outputs/demo`. This notebook reads that run:
# who is quoted most, which statements are the most defiant and the most conciliatory, how one
# speaker's posture develops, how far the run agrees with labels made by hand, and a file for a
# colleague.
#
# The tests execute it on a run that holds the labels themselves, in less than a minute; agreement is
# then 1. On a run of the models it is what they reach.

# %% tags=["parameters"]
RUN = "../outputs/demo"
GOLD = "../corpus/gold"
OUT = "../outputs"

# %%
from pathlib import Path

import pandas as pd

import onrecord
from onrecord import plots

pd.set_option("display.max_colwidth", 160)
run = onrecord.read_run(RUN)
run

# %% [markdown]
# ## Who is quoted most
#
# `actors` has one row for each named entity of the run, with the statements it makes.

# %%
run.actors.nlargest(8, "n_quotes")[["name", "label", "n_quotes", "n_defiant", "n_conciliatory"]]

# %%
plots.posture_by_speaker(run, top=12);

# %% [markdown]
# ## The most defiant and the most conciliatory statements, with their sentences
#
# `stance_score` is the probability of conciliation minus that of defiance. The tables join by
# `article_id`; `sentence_ids` are the sentences that a statement touches. A statement that its cue
# interrupts has several spans, here with … between them. Statements of nobody named, and those of
# articles on which the stage of stance failed, are left out.

# %%
sentences = run.sentences.set_index(["article_id", "sentence_id"])["text"]


def in_its_sentences(quote):
    return " ".join(sentences[quote.article_id, number] for number in quote.sentence_ids)


texts = run.articles.set_index("article_id")["text"]


def said(quote):
    text = texts[quote.article_id]
    return " … ".join(text[start:end] for start, end in quote.content_spans)


columns = ["speaker", "stance_score", "said", "sentences"]
quotes = run.quotes.dropna(subset=["speaker", "stance_score"]).sort_values("stance_score")
quotes["said"] = quotes.apply(said, axis=1)
quotes["sentences"] = quotes.apply(in_its_sentences, axis=1)
quotes[columns].head(5)

# %%
quotes[columns].tail(5)[::-1]

# %% [markdown]
# ## One speaker over time
#
# First everybody, then the speaker who is quoted on most days. Two of the stories of `corpus/` go on,
# one of them over seven weeks. Articles without a date are left out.

# %%
plots.posture_over_time(run);

# %%
dated = run.quotes.merge(run.articles[["article_id", "published_at"]], on="article_id")
days = dated.assign(day=dated["published_at"].dt.date).groupby("speaker").agg(
    days=("day", "nunique"), statements=("quote_id", "size")
)
speaker = days.sort_values(["days", "statements"], ascending=False).index[0]
plots.posture_over_time(run, speaker);

# %% [markdown]
# ## Who names whom

# %%
plots.speaker_network(run, top=10);

# %% [markdown]
# ## Agreement with labels made by hand

# %%
scores = onrecord.evaluate(GOLD, run=RUN, draws=200).metrics["end_to_end"]
pd.DataFrame(
    {
        (layer, metric): values
        for layer, metrics in scores.items()
        for metric, values in metrics.items()
        if metric in ("f1", "macro_f1")
    }
).T.round(3)

# %% [markdown]
# ## A file for a colleague
#
# One row a statement, with its outlet and date; opens in any spreadsheet.

# %%
shared = run.quotes.assign(text=run.quotes.apply(said, axis=1)).merge(
    run.articles[["article_id", "title", "publisher", "published_at"]], on="article_id"
)[["published_at", "publisher", "title", "speaker", "stance", "stance_score", "text"]]
path = Path(OUT) / "statements.csv"
path.parent.mkdir(parents=True, exist_ok=True)
# The byte order mark tells spreadsheets that the file is UTF-8.
shared.to_csv(path, index=False, encoding="utf-8-sig")
shared.head(3)
