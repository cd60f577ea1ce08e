"""Proves that tweets are pushed into the home timelines that are there.

A timeline that nobody had read is pulled from the store by whoever reads it,
and then it is right whether or not anything was ever pushed: after a kill that
is most of them. But once all are there, whatever `verify` finds in them of a
tweet that was posted then has come by push, for it reads none.
"""
import os
import re
import sqlite3
import subprocess

AUTHORS = 3  # those with the most followers


def numbers(verdict):
    return {x: int(y) for x, y in re.findall(r"(\w+)=(\d+)", verdict)}


def most_followed(store):
    """Authors, and how many follow each."""
    where = "file:" + os.path.join(store, "follows.db") + "?mode=ro"
    database = sqlite3.connect(where, uri=True)
    try:
        return database.execute(
            "SELECT followee, COUNT(DISTINCT follower) FROM edges "
            "WHERE follower <> followee GROUP BY followee "
            "ORDER BY 2 DESC LIMIT ?", [AUTHORS]).fetchall()
    finally:
        database.close()


def prove_push(demo, verdict):
    """Posts, and looks whether exactly those who follow have it, by push.
    `verdict` is what `verify` said just before. Returns an exit code."""
    before = numbers(verdict)
    if before["timelines"] < before["users"]:
        print("demo: not every timeline is there, so whether tweets are pushed "
              "is not proven")
        return 0
    authors = most_followed(demo.store)
    for author, _ in authors:
        subprocess.run(demo.client("post", str(author), "to be pushed"),
                       stdout=subprocess.DEVNULL, check=True,
                       timeout=demo.options.patience)
    due = sum(followers + 1 for _, followers in authors)
    code, said = demo.verify(journal=False)
    if code != 0:
        print("\n".join(["demo: after some tweets more:", *said]))
        return code
    after = numbers(said[-1])
    if after["timelines"] < before["timelines"]:
        print("demo: a shard has changed hands, so whether tweets are pushed is "
              "not proven")
        return 0
    pushed, pulled = (after[x] - before[x] for x in ("pushed", "pulled"))
    print(f"demo: of {len(authors)} tweets more {pushed} entries were pushed "
          f"and {pulled} pulled; {due} were due")
    return int((pushed, pulled) != (due, 0))
