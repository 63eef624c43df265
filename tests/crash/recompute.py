"""What the independent model (tests/oracle/model.py) says of a journal."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "oracle"))
from model import Model  # noqa: E402


def check(holds, what):
    if not holds:
        raise AssertionError(what)


def recompute(commands, statuses):
    """-> ({seq: (outcome, first_seq)}, alert events). The digests of the server's `statuses` must be the model's at their seqs."""
    wanted = {int(s["last_seq"]): s["state_digest"] for s in statuses}
    model, outcomes, events, digests = Model(), {}, [], {}
    for at, command in enumerate(commands, 1):
        check(command["seq"] == at, f"seq {command['seq']} where {at} comes next")
        outcome, first_seq, new = model.apply(command["seq"], command["time"], command)
        outcomes[at] = (outcome, first_seq)
        events += new
        if at in wanted:
            digests[at] = model.digest()
    for seq, digest in wanted.items():
        check(digests.get(seq) == digest, f"at seq {seq} the server's digest is {digest}, the model's {digests.get(seq)}")
    return outcomes, events
