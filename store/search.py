"""Full-text search: what is indexed of an item, and how a person's words become an FTS5 expression.

FTS5's unicode61 tokenizer splits at spaces and punctuation. Scripts written without spaces (Han, kana) and Hangul, whose words
carry endings, would become one long token, so their runs are also indexed as overlapping pairs of characters, with the last
character alone (a query of one character is then a prefix search). Words of other scripts match whole, without case and
diacritics.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_QUERY_TERMS = 64
TITLE_WEIGHT, TEXT_WEIGHT, WORDS_WEIGHT = 4.0, 0.0, 1.5  # of bm25, in the order of the columns of items_fts

_UNSPACED = re.compile("[\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003fffd]+")
_WORD = re.compile(r"[^\W_]+")

SEARCH_SQL = f"""
    SELECT items.item_id, -bm25(items_fts, {TITLE_WEIGHT}, {TEXT_WEIGHT}, {WORDS_WEIGHT}) AS score
    FROM items_fts JOIN items ON items.item_no = items_fts.rowid
    WHERE items_fts MATCH ? ORDER BY score DESC, items.item_id LIMIT ?
"""

BEGINNING_SQL = "SELECT 1 FROM items_fts WHERE items_fts MATCH ? LIMIT 1"


def make_words(title: str, text: str, values: Iterable[str]) -> str:
    """Write what is searched of an item beside its title: attributes' values, words of the text, character pairs of unspaced scripts.

    Each word stands once, so that an item gains nothing by repeating what it is about.
    """
    values = list(values)
    spaced = [_space_out(one) for one in (title, text, *values) if _UNSPACED.search(one)]
    return " ".join(dict.fromkeys(word.casefold() for one in (*values, text, *spaced) for word in one.split()))


def make_match(query: str) -> str:
    """Write the FTS5 expression that asks for any word of `query`; empty where it holds no word.

    >>> make_match('Blade "Runner"')
    '"Blade" OR "Runner"'
    """
    pairs = [term for run in _UNSPACED.findall(query) for term in _make_pair_terms(run)]
    words = [f'"{word}"' for word in _WORD.findall(_UNSPACED.sub(" ", query))]
    return " OR ".join(list(dict.fromkeys(words + pairs))[:MAX_QUERY_TERMS])


def make_beginnings(words: Iterable[str]) -> str:
    """Write the FTS5 expression that asks for words that begin as any of `words`; empty where these have no letter.

    >>> make_beginnings(["gard", 'x"y'])
    '"gard" * OR "x" * OR "y" *'
    """
    return " OR ".join([f'"{part}" *' for word in words for part in _WORD.findall(word)][:MAX_QUERY_TERMS])


def _space_out(text: str) -> str:
    return _UNSPACED.sub(lambda run: f" {' '.join([*_make_pairs(run[0]), run[0][-1]])} ", text)


def _make_pairs(run: str) -> list[str]:
    return [run[start : start + 2] for start in range(len(run) - 1)]


def _make_pair_terms(run: str) -> list[str]:
    return [f'"{pair}"' for pair in _make_pairs(run)] or [f'"{run}" *']
