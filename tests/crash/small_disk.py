"""A small disk, that gets full: a tmpfs on a directory. Mounting needs root; a machine that does not allow it cannot run the tests of it."""
import errno
import os
import pathlib
import subprocess
import time

from server import PATIENCE

PAGE = 4096  # what a tmpfs takes at least for a file that is not empty


def mount(*args):
    return subprocess.run(["mount", *map(str, args)], stderr=subprocess.PIPE, text=True)


class SmallDisk:
    """Mounted from the beginning until unmount(), or the end of a `with`."""

    def __init__(self, directory, size):
        self.directory = pathlib.Path(directory)
        self.ballast = self.directory / "ballast"
        self.directory.mkdir(parents=True, exist_ok=True)
        done = mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.directory)
        assert done.returncode == 0, f"the test cannot be set up, it mounts a tmpfs and needs to be root: {done.stderr}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unmount()

    def unmount(self):
        subprocess.run(["umount", "-l", str(self.directory)], check=True)

    def fill(self, pages=0):
        """Takes all room but so many pages, whoever else writes meanwhile."""
        with open(self.ballast, "wb") as file:
            while True:
                disk = os.statvfs(self.directory)
                room = disk.f_bavail * disk.f_frsize - pages * PAGE
                if room <= 0:
                    return
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, room)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def empty(self):
        self.ballast.unlink()

    def read_only(self, it_is=True):
        """As soon as no file is open for writing."""
        end = time.monotonic() + PATIENCE
        while (done := mount("-o", f"remount,{'ro' if it_is else 'rw'}", self.directory)).returncode != 0:
            assert time.monotonic() < end, done.stderr
            time.sleep(0.01)
