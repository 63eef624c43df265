"""Compares the engine with the model after every command: `compare.py --driver PATH [--commands 100000] [--seed S]`.

The driver reads commands as JSON lines on stdin, {"seq":n,"time":ns,"type":"Trade",...}, fields as in docs/semantics.md; decimals are
e8 integers, warn and breach decimal-integer strings, enums the page's integers. For each it prints one JSON line,
{"seq","outcome","first_seq","digest","events"}, and when the command says "dump":true also "positions" and the digest "lines", when it says
"effective":[[then,time],...] also what was effective at these times as known after this command ("then": the seq whose prices count, 0 or that
of a command that was asked the same), a row a trade, position and node.
A difference prints the seed, the command and both sides' differing lines, leaves a shortened history for --history, and exits 1.
"""
import argparse
import json
import multiprocessing
import os
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import generate
from model import Model, effects

DUMP_EVERY = 50
CASES = pathlib.Path(__file__).resolve().parent / "cases"
SHRINK_SECONDS = 60


def run_driver(driver, history):
    """-> (the driver's answers, what went wrong or "")"""
    text = "".join(json.dumps(command, ensure_ascii=False) + "\n" for command in history)
    try:
        run = subprocess.run([driver], input=text.encode(), capture_output=True, timeout=60 + len(history) // 10)
        output, error, status = run.stdout, run.stderr, f"exit status {run.returncode}"
    except subprocess.TimeoutExpired as expired:
        output, error, status = expired.stdout or b"", expired.stderr or b"", "it hangs"
    answers = []
    for line in output.split(b"\n"):
        try:
            answers.append(json.loads(line))
        except ValueError:
            break  # the end, or cut short
    wrong = "" if len(answers) == len(history) else f"the driver stopped ({status}): {error.decode(errors='replace')[-2000:]}"
    return answers, wrong


def plain(value):
    """Numbers and booleans as text, so that only what they say counts."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return str(value)


def rows(answer, part):
    """One part of an answer as lines of text."""
    value = plain(answer.get(part, []))
    if isinstance(value, str):
        return [value]
    text = [line if isinstance(line, str) else json.dumps(line, sort_keys=True, ensure_ascii=False) for line in value]
    return sorted(text) if part == "positions" else text


def differing_parts(ours, theirs):
    return [part for part in ("outcome", "first_seq", "events", "digest", "positions", "lines", "effective")
            if rows(ours, part) != rows(theirs, part)]


def asking(history):
    """The history, asked now and then what was effective: at times when something happened, of trades known then and of those to come."""
    history, kept = list(history), [0]
    rng = random.Random(len(history))
    for index, command in enumerate(history):
        if index % DUMP_EVERY == DUMP_EVERY - 1 or index == len(history) - 1:
            times = [command["time"], command["time"] + 1] + [one.get("trade_time", one["time"]) for one in rng.choices(history[:index + 1], k=4)]
            kept.append(command["seq"])
            history[index] = dict(command, effective=[[rng.choice(kept), time] for time in times])
    return history


def first_difference(driver, history, dump):
    """-> None or (index, the model's answer, the driver's answer or None, what is wrong); dump(index) asks for a full dump there"""
    history = asking(dict(command, dump=True) if dump(index) else command for index, command in enumerate(history))
    answers, wrong = run_driver(driver, history)
    model, kept = Model(), {0: Model()}
    for index, command in enumerate(history):
        ours = effects(model, command, kept)
        if index == len(answers):
            return index, ours, None, wrong
        parts = differing_parts(ours, answers[index])
        if parts:
            return index, ours, answers[index], "different " + ", ".join(parts)
    return None


def difference(driver, history):
    last = len(history) - 1
    return first_difference(driver, history, lambda index: index % DUMP_EVERY == DUMP_EVERY - 1 or index == last)


def numbered(history):
    return [dict(command, seq=seq) for seq, command in enumerate(history, 1)]


def shrink(driver, history):
    """Leaves commands out while there still is a difference."""
    until = time.monotonic() + SHRINK_SECONDS
    chunk = len(history) // 2
    while chunk > 0:
        at = 0
        while at < len(history) and time.monotonic() < until:
            shorter = numbered(history[:at] + history[at + chunk:])
            found = difference(driver, shorter) if shorter else None
            if found is None:
                at += chunk
            else:
                history = shorter[:found[0] + 1]
        chunk //= 2
    return history


def unlike(ours, theirs, part):
    a, b = rows(ours, part), rows(theirs, part)
    missing, extra, what = [line for line in a if line not in b], [line for line in b if line not in a], ""
    if not missing and not extra:
        missing, extra, what = a, b, " the same lines in another order"
    text = [f"  {part}:{what}"]
    for side, lines in (("model ", missing), ("driver", extra)):
        text += [f"    {side} " + line.replace("\x1f", "|") for line in lines]
    return text


def explain(driver, history):
    """The first difference in words, found with a full dump after each of the last commands."""
    index = difference(driver, history)[0]
    found = first_difference(driver, history[:index + 1], lambda at: at >= index - DUMP_EVERY)
    if found is None:
        return "it did not come again when the history was run with more dumps: the driver is not deterministic, or a dump changes it"
    index, ours, theirs, wrong = found
    text = [f"at command {index + 1}: {wrong}", "  command " + json.dumps(history[index], ensure_ascii=False),
            f"  model's outcome {ours['outcome']} first_seq {ours['first_seq']}"]
    for part in differing_parts(ours, theirs) if theirs is not None else []:
        text += unlike(ours, theirs, part)
    return "\n".join(text)


def report(driver, history, name):
    index = difference(driver, history)[0]
    print(f"DIFFERENCE in {name}, command {index + 1}")
    print(explain(driver, history), flush=True)
    short = shrink(driver, history[:index + 1])
    handle, path = tempfile.mkstemp(prefix="oracle-", suffix=".jsonl")
    with os.fdopen(handle, "w") as file:
        file.writelines(json.dumps(command, ensure_ascii=False) + "\n" for command in short)
    print(f"shortened to {len(short)} commands, again with: compare.py --driver {driver} --history {path}")
    print(explain(driver, short), flush=True)


def load(path):
    return [json.loads(line) for line in pathlib.Path(path).read_text().split("\n") if line.strip()]


def random_history(seed, n):
    return [json.loads(line) for line in generate.lines(generate.generate(seed, n))]


def try_seed(job):
    driver, seed, n = job
    return seed, n, difference(driver, random_history(seed, n)) is None


def try_seeds(options):
    whole, rest = divmod(options.commands, options.per_history)
    sizes = [options.per_history] * whole + ([rest] if rest else [])
    jobs = [(options.driver, options.seed + i, n) for i, n in enumerate(sizes)]
    begun, done, told = time.monotonic(), 0, time.monotonic()
    with multiprocessing.Pool(options.jobs) as pool:
        for seed, n, same in pool.imap_unordered(try_seed, jobs):
            if not same:
                pool.terminate()
                report(options.driver, random_history(seed, n), f"seed {seed} --per-history {n}")
                return 1
            done += n
            if time.monotonic() - told > 10:
                told = time.monotonic()
                print(f"{done} of {options.commands} commands", file=sys.stderr, flush=True)
    print(f"same after each of {done} commands, seeds {options.seed} to {options.seed + len(sizes) - 1}, {time.monotonic() - begun:.0f} s")
    return 0


def main():
    parser = argparse.ArgumentParser(description="Compares the engine with the model after every command.",
                                     epilog="example: compare.py --driver build/oracle_driver --commands 20000 --seed 7")
    parser.add_argument("--driver", required=True, help="the program that feeds the engine")
    parser.add_argument("--commands", type=int, default=100000, help="in total")
    parser.add_argument("--per-history", type=int, default=700)
    parser.add_argument("--seed", type=int, help="of the first history; the next ones count up (default: from the clock)")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--history", help="compare on this file of JSON lines only")
    options = parser.parse_args()
    options.driver = os.path.abspath(options.driver)
    if not os.access(options.driver, os.X_OK):
        parser.error(f"no program at {options.driver}")
    for path in [options.history] if options.history else sorted(CASES.glob("*.jsonl")):
        history = load(path)
        if difference(options.driver, history) is not None:
            report(options.driver, history, str(path))
            return 1
        print(f"same on {path}, {len(history)} commands")
    if options.history:
        return 0
    if options.seed is None:
        options.seed = time.time_ns() // 1000 % 10**12
    print(f"seed {options.seed}", flush=True)
    return try_seeds(options)


if __name__ == "__main__":
    sys.exit(main())
