"""Python stubs from the .proto files, as any user would make them; to be imported before halocline.v1 and google.rpc."""
import os
import pathlib
import sys
import tempfile

from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
GENERATED = tempfile.TemporaryDirectory(prefix="halocline-stubs-")


def generate():
    protos = ["halocline/v1/types", "halocline/v1/ingest", "halocline/v1/reference", "halocline/v1/risk", "halocline/v1/queries",
              "google/rpc/status", "google/rpc/error_details"]
    args = ["protoc", f"-I{ROOT / 'api'}", f"-I{pathlib.Path(protoc.__file__).parent / '_proto'}",
            f"--python_out={GENERATED.name}", f"--grpc_python_out={GENERATED.name}"]
    if protoc.main(args + [f"{name}.proto" for name in protos]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, GENERATED.name)
    # google.rpc lies beside google.protobuf, which is installed: one package, two places.
    import google
    google.__path__.append(os.path.join(GENERATED.name, "google"))


generate()
