"""Runs every command of the README against the real program: a documented command that does not work fails here."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("HALOCLINE_BIN", ROOT / "build/release/halocline"))
DATA = ROOT / "build/readme"


class ReadmeTest(unittest.TestCase):
    def test_every_command_works(self):
        shutil.rmtree(DATA, ignore_errors=True)
        blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
        commands = [line for block in blocks for line in block.splitlines() if line.strip()]
        self.assertTrue(commands[0].startswith("halocline serve "))
        self.assertGreater(len(commands), 12)
        env = os.environ | {"PATH": f"{BINARY.parent}:{os.environ['PATH']}"}
        server = subprocess.Popen(["bash", "-c", "exec " + commands[0] + " --set server.listen=127.0.0.1:0 --set fix.listen=127.0.0.1:0"], cwd=ROOT, env=env,
                                  stdout=subprocess.PIPE, text=True)
        try:
            ready = server.stdout.readline()
            self.assertIn("serving on ", ready)
            env["HALOCLINE_SERVER"] = ready.split("serving on ", 1)[1].split()[0]
            for command in commands[1:]:
                done = subprocess.run(["bash", "-c", command], cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
                self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}{done.stderr}")
                self.assertTrue(done.stdout.strip(), f"{command} says nothing")
        finally:
            server.send_signal(signal.SIGTERM)
            self.assertEqual(server.wait(timeout=60), 0)
            server.stdout.close()
            shutil.rmtree(DATA, ignore_errors=True)


if __name__ == "__main__":
    unittest.main()
