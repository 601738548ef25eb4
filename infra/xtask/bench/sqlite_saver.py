"""LangGraph with its SqliteSaver: a graph of one node that does nothing, looped.

Arguments: database, runs, runs at once, steps of each run. Prints JSON: seconds, CPU seconds (of this process), steps, saver writes.
The same promise as ours is asked for: WAL, synchronous=FULL, a step's checkpoint is on the disk before the next step begins.
"""

import json
import resource
import sqlite3
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TypedDict

from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    done: int


class CountingSaver(SqliteSaver):
    """Each call is a transaction."""

    writes = 0

    def put(self, *args, **kwargs):
        self.writes += 1
        return super().put(*args, **kwargs)

    def put_writes(self, *args, **kwargs):
        self.writes += 1
        return super().put_writes(*args, **kwargs)


def looped(saver, steps):
    graph = StateGraph(State)
    graph.add_node("step", lambda state: {"done": state["done"] + 1})
    graph.add_edge(START, "step")
    graph.add_conditional_edges("step", lambda state: "step" if state["done"] < steps else END, ["step", END])
    return graph.compile(checkpointer=saver)


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(database, runs, at_once, steps):
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    saver = CountingSaver(connection)
    saver.setup()
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    graph = looped(saver, steps)

    def run(number):
        config = {"configurable": {"thread_id": f"run-{number}"}, "recursion_limit": steps + 10}
        state = graph.invoke({"done": 0}, config, durability="sync")
        assert state["done"] == steps, state

    run("first")
    saver.writes = 0
    began, used = time.perf_counter(), cpu()
    if at_once == 1:
        for number in range(runs):
            run(number)
    else:
        with ThreadPoolExecutor(at_once) as pool:
            list(pool.map(run, range(runs)))
    seconds, used = time.perf_counter() - began, cpu() - used
    print(json.dumps({"seconds": seconds, "cpu": used, "steps": runs * steps, "writes": saver.writes}))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:5]))
