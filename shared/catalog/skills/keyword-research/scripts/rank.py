"""Ranks the keywords of texts: input and output as rank.schema.json says.

Phrases are what stands between stop words and punctuation. A phrase's score is how often it occurs, times how many words it has, times
how its words keep company (their degree by their frequency, as in RAKE, Rose et al. 2010). A phrase that is only a part of a longer one
that occurs as often is left out.
"""

import json
import math
import re
import sys
from collections import Counter, defaultdict

STOP = set(
    """a about above after again all also am an and any are as at be because been before being below between both but by can could did
    do does doing don down during each few for from further had has have having he her here hers him his how i if in into is it its
    itself just me more most my no nor not now of off on once only or other our ours out over own same she should so some such than
    that the their them then there these they this those through to too under until up us very was we were what when where which while
    who whom why will with would you your yours
    aber als am an auch auf aus bei bin bis das dass dem den der des die du durch ein eine einem einen einer es für hat ich ihr im in ist
    ja kann man mehr mit nach nicht noch nur ob oder sein sich sie sind so um und uns von vor war was wenn wer wie wir wird zu zum zur""".split()
)
LONGEST = 4


def phrases(text):
    for part in re.split(r"[^\w\s'’-]+|\n{2,}|\s-\s", text.lower()):
        words = []
        for word in re.findall(r"[^\W_][\w'’-]*", part):
            if word in STOP or word.isdigit() or len(word) < 2:
                yield words
                words = []
            else:
                words.append(word.rstrip("'’-"))
        yield words


def count(text):
    found = Counter()
    for words in phrases(text):
        for length in range(1, min(len(words), LONGEST) + 1):
            for at in range(len(words) - length + 1):
                found[tuple(words[at : at + length])] += 1
    return found


def main():
    asked = json.load(sys.stdin)
    by_text = {text["name"]: count(text["text"]) for text in asked["texts"]}
    total = Counter()
    for found in by_text.values():
        total.update(found)
    degree, frequency = defaultdict(int), defaultdict(int)
    for phrase, times in total.items():
        for word in phrase:
            degree[word] += times * len(phrase)
            frequency[word] += times

    def score(phrase):
        company = sum(degree[word] / frequency[word] for word in phrase) / len(phrase)
        spread = 1 + math.log(sum(phrase in found for found in by_text.values()))
        return round(total[phrase] * math.sqrt(len(phrase)) * company * spread, 2)

    def is_part(phrase):
        text = " ".join(phrase)
        return any(
            len(other) > len(phrase) and times >= total[phrase] and f" {text} " in f" {' '.join(other)} "
            for other, times in candidates
        )

    least = 1 if sum(total.values()) < 200 else 2
    candidates = [(phrase, times) for phrase, times in total.items() if times >= least]
    ranked = sorted(candidates, key=lambda each: (-score(each[0]), each[0]))[:400]
    candidates = ranked
    best = [phrase for phrase, _ in ranked if not is_part(phrase)]
    names = lambda phrase: sorted(name for name, found in by_text.items() if phrase in found)
    own = set(asked.get("own", []))
    gaps = [" ".join(phrase) for phrase in best if own and not own & set(names(phrase))]
    top = asked.get("top", 20)
    keywords = [
        {"phrase": " ".join(phrase), "score": score(phrase), "count": total[phrase], "texts": names(phrase)}
        for phrase in best[:top]
    ]
    words = sum(times for phrase, times in total.items() if len(phrase) == 1)
    json.dump({"keywords": keywords, "gaps": gaps[:top], "words": words}, sys.stdout, ensure_ascii=False)


main()
