"""Plays every session case of cases/*.fix (cases.py says what their lines mean) on one server, a session and a book for each run.

  build/venv/bin/python tests/fix/cases_test.py [-v]        all
  build/venv/bin/python tests/fix/cases_test.py NAME …      only these, as far as they got, messages shown when they fail
"""
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases  # noqa: E402
from gateway import Gateway, floor, session  # noqa: E402


class CasesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cases = cases.all_cases()
        cls.directory = tempfile.TemporaryDirectory(prefix="halocline-fix-")
        runs = [(case, *run) for case in cls.cases for run in case.runs()]
        sessions = "".join(session(comp_id, version, *case.config) for case, comp_id, version in runs)
        cls.gateway = Gateway(cls.directory.name, sessions, reference=floor(comp_id for _, comp_id, _ in runs))

    @classmethod
    def tearDownClass(cls):
        cls.gateway.end()
        cls.directory.cleanup()

    def play(self, case):
        for comp_id, version in case.runs():
            with self.subTest(version=version):
                cases.Player(case, comp_id, version, self.gateway).play()
                self.assertIsNone(self.gateway.server.process.poll(), "the server has ended")


for one in cases.all_cases():
    setattr(CasesTest, f"test_{one.name}", lambda self, case=one: self.play(case))


if __name__ == "__main__":
    names = [f"CasesTest.test_{name}" for name in sys.argv[1:] if not name.startswith("-")]
    unittest.main(argv=[sys.argv[0], *[arg for arg in sys.argv[1:] if arg.startswith("-")], *names])
