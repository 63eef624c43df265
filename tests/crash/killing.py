"""The frame of a test that kills servers: its options, a directory that stays when something is wrong, and what is said."""
import argparse
import pathlib
import shutil
import sys
import tempfile
import time


def parser(page, rate, what):
    """With the options that all of them have; `page` is the test's docstring."""
    made = argparse.ArgumentParser(description=page.split("\n\n")[0])
    made.add_argument("--kills", type=int, default=30)
    made.add_argument("--seed", type=int, default=time.time_ns() // 1000 % 10**9, help="default: from the clock")
    made.add_argument("--rate", type=int, default=rate, help=f"{what} a second")
    made.add_argument("--keep", action="store_true", help="keep the directory of a good run, too")
    return made


def play(name, options, make, prove):
    """make(options, directory) gives a run; prove(run) does it and gives what it showed. The exit code. run.end() ends what is left
    running."""
    print(f"{name}, seed {options.seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix=f"halocline-{name.lower().replace(' ', '-')}-"))
    run = make(options, directory)
    try:
        shown = prove(run)
    except BaseException as error:
        run.end()
        print(f"FAILED: {error}\nseed {options.seed}, all of it is in {directory}", file=sys.stderr)
        if not isinstance(error, AssertionError):
            raise
        return 1
    run.end()
    print(shown)
    if options.keep:
        print(f"kept in {directory}")
    else:
        shutil.rmtree(directory)
    return 0
