"""A program built with HALOCLINE_ICEBERG=OFF ($HALOCLINE_BIN): it serves, and refuses the keys that ask for what it has not."""
import pathlib
import subprocess
import tempfile
import unittest

from cli_test import DONE, USAGE, Server, binary

REFUSAL = "this program was built without Iceberg; docs/iceberg.md says how to build it"


class WithoutIcebergTest(unittest.TestCase):
    def setUp(self):
        temp = tempfile.TemporaryDirectory()
        self.addCleanup(temp.cleanup)
        self.dir = pathlib.Path(temp.name)

    def refused(self, place, key, *args, **environment):
        done = subprocess.run([binary(), *map(str, args)], env={**environment, "HOME": str(self.dir)}, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (USAGE, ""), done.stderr)
        self.assertIn(f"{place}: {key}: {REFUSAL}", done.stderr)

    def test_what_it_has_not_is_refused_by_name_wherever_it_is_asked_for(self):
        for key, value in (("history.enabled", "true"), ("catalog.listen", "127.0.0.1:0")):
            section, name = key.split(".")
            path = self.dir / f"{section}.toml"
            path.write_text(f"[{section}]\n{name} = {value if value == 'true' else repr(value)}\n")
            variable = f"HALOCLINE_{section}_{name}".upper()
            data = self.dir / "data"
            for command in (["config", "check"], ["serve", "--set", f"server.data_directory={data}", "--set", "server.listen=127.0.0.1:0"]):
                with self.subTest(key=key, command=command[0]):
                    self.refused(f"{path}:2", key, *command, "--config", path)
                    self.refused(f"environment {variable}", key, *command, **{variable: value})
                    self.refused("--set", key, *command, "--set", f"{key}={value}")
            self.assertFalse(data.exists(), "a server that may not start leaves nothing")

    def test_without_them_it_serves(self):
        server = Server(self.dir / "data", settings=["history.enabled=false", "catalog.listen="])
        self.assertEqual(server.stop(), DONE)


if __name__ == "__main__":
    unittest.main()
