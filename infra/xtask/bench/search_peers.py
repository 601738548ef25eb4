"""What the search is measured beside: rank-bm25, bm25s with numba, SQLite FTS5.

Reads a corpus (JSON lines with `_id`, `title`, `text`), then one request per line on the standard input, and answers each
with one line. Words are lower-case runs of letters and digits, stemmed, without bm25s' English stop words; for bm25s and
rank-bm25 they are the same words. FTS5 makes its own (`porter unicode61`), and a query is its words joined by OR.
"""

import json
import re
import sqlite3
import sys
import time

import bm25s
import numpy
import rank_bm25
import Stemmer
from bm25s.stopwords import STOPWORDS_EN

WORD = re.compile(r"\w+")
STOPWORDS = frozenset(STOPWORDS_EN)
STEMMER = Stemmer.Stemmer("english")


def words(text):
    return STEMMER.stemWords([w for w in WORD.findall(text.lower()) if w not in STOPWORDS])


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS:"))


class RankBm25:
    def __init__(self, texts):
        self.index = rank_bm25.BM25Okapi([words(text) for text in texts])

    def search(self, query, limit):
        scores = self.index.get_scores(words(query))
        best = numpy.argsort(-scores, kind="stable")[:limit]
        return [int(at) for at in best if scores[at] > 0]


class Bm25s:
    def __init__(self, texts):
        self.index = bm25s.BM25(backend="numba")
        self.index.index([words(text) for text in texts], show_progress=False)
        self.index.activate_numba_scorer()
        self.size = len(texts)

    def search(self, query, limit):
        limit = min(limit, self.size)
        query = words(query)
        if not query:
            return []
        found, scores = self.index.retrieve(
            [query], k=limit, show_progress=False, n_threads=0, backend_selection="numba"
        )
        return [int(at) for at, score in zip(found[0], scores[0]) if score > 0]


class Fts5:
    def __init__(self, texts):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE VIRTUAL TABLE corpus USING fts5(text, content='', tokenize='porter unicode61')")
        rows = ((at, text) for at, text in enumerate(texts))
        self.db.executemany("INSERT INTO corpus (rowid, text) VALUES (?, ?)", rows)

    def search(self, query, limit):
        query = " OR ".join(f'"{w}"' for w in WORD.findall(query.lower()) if w not in STOPWORDS)
        if not query:
            return []
        found = "SELECT rowid FROM corpus WHERE corpus MATCH ? ORDER BY rank LIMIT ?"
        return [row[0] for row in self.db.execute(found, (query, limit))]


PEERS = {"rank-bm25": RankBm25, "bm25s": Bm25s, "fts5": Fts5}


def read(path):
    texts = []
    with open(path, encoding="utf-8") as corpus:
        for line in corpus:
            entry = json.loads(line)
            texts.append((entry.get("title", "") + " " + entry["text"]).strip())
    return texts


def main():
    made = {}
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "index":
            texts = read(request["corpus"])
            before, began = resident(), time.perf_counter()
            peer = PEERS[request["peer"]](texts)
            seconds = time.perf_counter() - began
            del texts
            made[request["peer"]] = peer
            peer.search("warm up", 10)
            answer = {"seconds": seconds, "resident": resident() - before}
        else:
            found, seconds = [], []
            for query in request["queries"]:
                began = time.perf_counter()
                found.append(made[request["peer"]].search(query, request["limit"]))
                seconds.append(time.perf_counter() - began)
            answer = {"found": found if request["found"] else [], "seconds": seconds}
        print(json.dumps(answer), flush=True)


main()
