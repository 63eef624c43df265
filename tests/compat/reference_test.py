#!/usr/bin/env python3
"""The history in Iceberg's own REST catalog (its RESTCatalogAdapter, with OAuth 2.0), which PyIceberg reads it from.

    HALOCLINE_BIN=build/release/halocline build/venv/bin/python tests/compat/reference_test.py [-v]
"""
import pathlib
import signal
import subprocess
import sys
import unittest

from pyiceberg.catalog.rest import RestCatalog

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/system"))
import remote_catalog_test  # noqa: E402
from cli_test import Server  # noqa: E402

BUILT = ROOT / "build/compat"


def classpath():
    """Iceberg's jars and our classes beside them, by Maven."""
    log, jars = BUILT / "reference.log", BUILT / "classpath.txt"
    BUILT.mkdir(parents=True, exist_ok=True)
    command = ["mvn", "-B", "-q", "-f", str(ROOT / "tests/compat/pom.xml"), "test-compile",
               "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:build-classpath", "-DincludeScope=test", f"-Dmdep.outputFile={jars}"]
    for offline in (["-o"], []):  # a run that has what it needs asks nobody
        with open(log, "wb") as out:
            if subprocess.run([*command, *offline], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False).returncode == 0:
                return f"{BUILT / 'test-classes'}:{jars.read_text().strip()}"
    raise AssertionError(f"Maven did not come to the classes; see {log}")


class ReferenceServer:
    """Stands where the second server stands in the test that this one is like."""

    def __init__(self, warehouse):
        self.process = subprocess.Popen(["java", "-Xmx256m", "-cp", classpath(), "org.apache.iceberg.rest.ReferenceServer", f"file://{warehouse}"],
                                        stdout=subprocess.PIPE, text=True)
        self.uri = self.process.stdout.readline().strip()

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class ReferenceTest(remote_catalog_test.RemoteCatalogTest):
    def start_library(self):
        self.library = ReferenceServer(pathlib.Path(self.temp.name) / "warehouse")
        host, port = self.library.uri.removeprefix("http://").rsplit(":", 1)
        self.proxy.target = (host, int(port))

    def start(self):
        if self.library is None:
            self.start_library()
        secret = self.secret("oauth2", "client_id = halocline\nclient_secret = secret\n")
        self.server = Server(self.data, settings=["history.enabled=true", f"catalog.uri=http://{self.proxy.address}",
                                                  f"catalog.uri_oauth2_file={secret}", f"history.format_version={self.version}", *self.settings])

    def catalog(self):
        tokens = f"{self.library.uri}/v1/oauth/tokens"
        return RestCatalog("reference", uri=self.library.uri, credential="reader:secret", **{"oauth2-server-uri": tokens})

    def test_what_was_sent_is_there_once(self):
        self.trade("t1")
        self.settle()
        self.check()
        for number, plan in enumerate((["answer"], ["request", "answer"])):
            self.proxy.plan = list(plan)
            self.trade(f"lost{number}")
            self.trade("t1", version=number + 2, action="AMEND", quantity=str(90 - number))
            self.settle()
        self.assertGreaterEqual(len(self.proxy.done), 3)
        self.stop(signal.SIGKILL)
        self.start()
        self.trade("after")
        self.stop()
        self.check()


class ReferenceInVersion3Test(ReferenceTest):
    version = 3


if __name__ == "__main__":
    unittest.main()
