"""The libraries of files for another platform, in file systems of small ELF files that are made here."""

from __future__ import annotations

import io
import struct
import tarfile

import pytest

from baker.config.platforms import AMD64, ARM64
from baker.verify import closure, elf

MACHINE = {AMD64: 62, ARM64: 183}
NEEDED, STRTAB, SONAME, RPATH, STRSZ, RUNPATH = 1, 5, 14, 15, 10, 29
HEADER, SEGMENT, ADDRESS = 64, 56, 0x10000


def made(*needed, soname="", rpath="", runpath="", platform=ARM64, kind=3):
    """Return a shared object with two segments, one that is loaded and its dynamic section, as gABI has them."""
    texts, places = b"\0", {}
    for text in (*needed, soname, rpath, runpath):
        places[text] = len(texts) if text else 0
        texts += text.encode() + b"\0" if text else b""
    tags = [(NEEDED, places[name]) for name in needed]
    tags += [(tag, places[text]) for tag, text in ((SONAME, soname), (RPATH, rpath), (RUNPATH, runpath)) if text]
    start = HEADER + 2 * SEGMENT
    size = 16 * (len(tags) + 3)
    tags += [(STRTAB, ADDRESS + start + size), (STRSZ, len(texts)), (0, 0)]
    body = b"".join(struct.pack("<QQ", *tag) for tag in tags) + texts
    whole = start + len(body)
    head = b"\177ELF\2\1\1" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", kind, MACHINE[platform], 1, 0, HEADER, 0, 0, HEADER, SEGMENT, 2, 64, 0, 0)
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, ADDRESS, ADDRESS, whole, whole, 0x1000)
    dynamic = struct.pack("<IIQQQQQQ", 2, 6, start, ADDRESS + start, ADDRESS + start, size, size, 8)
    return head + load + dynamic + body


def found(files, links=None, platform=ARM64):
    """Resolve a file system of files and symbolic links, by their paths."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for path, target in (links or {}).items():
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    written.seek(0)
    return closure.resolve(closure.read(written), platform)


PROGRAM, LIB = "/usr/bin/program", "/usr/lib/aarch64-linux-gnu"


def test_a_library_of_the_system_through_links():
    files = {PROGRAM: made("liba.so.1"), f"{LIB}/liba.so.1.2": made(soname="liba.so.1")}
    links = {"/lib": "usr/lib", f"{LIB}/liba.so.1": "liba.so.1.2"}
    assert found(files, links) == closure.Closure(files=tuple(sorted(files)), needs=(), unloadable=())


def test_a_library_that_is_missing_of_one_that_is_there():
    files = {PROGRAM: made("liba.so.1"), f"{LIB}/liba.so.1": made("libb.so.1", soname="liba.so.1")}
    assert found(files).needs == ((PROGRAM, "libb.so.1"), (f"{LIB}/liba.so.1", "libb.so.1"))


def test_an_rpath_counts_for_what_is_loaded_and_a_runpath_does_not():
    deep = {"/opt/liba.so": made("libb.so", soname="liba.so"), "/opt/libb.so": made(soname="libb.so")}
    with_rpath = found({PROGRAM: made("liba.so", rpath="/opt"), **deep})
    with_runpath = found({PROGRAM: made("liba.so", runpath="/opt"), **deep})
    assert (PROGRAM, "libb.so") not in with_rpath.needs
    assert (PROGRAM, "libb.so") in with_runpath.needs


@pytest.mark.parametrize("path", ["$ORIGIN/../lib", "${ORIGIN}/../lib"])
def test_a_path_from_where_the_file_lies(path):
    files = {"/opt/bin/x": made("liba.so", runpath=path), "/opt/lib/liba.so": made(soname="liba.so")}
    assert found(files).needs == ()


def test_a_folder_of_the_loaders_configuration():
    files = {PROGRAM: made("liba.so"), "/srv/liba.so": made(soname="liba.so"), "/etc/ld.so.conf.d/x.conf": b"/srv\n"}
    assert found(files).needs == ()


def test_a_file_for_another_processor():
    """A library of the builder's own platform is none, and is said by its path."""
    files = {PROGRAM: made("liba.so"), f"{LIB}/liba.so": made(soname="liba.so", platform=AMD64)}
    assert found(files).needs == ((PROGRAM, "liba.so"),)
    assert found(files).unloadable == (f"{LIB}/liba.so: it is for x86_64",)


def test_a_file_that_is_cut_short():
    whole = made("liba.so")
    assert found({PROGRAM: whole[:-8]}).unloadable == (f"{PROGRAM}: it is cut short",)
    (said,) = found({PROGRAM: whole[:70]}).unloadable
    assert said.startswith(f"{PROGRAM}: it is damaged")


def test_what_no_loader_is_given():
    assert found({"/x.o": made("liba.so", kind=1), "/x.py": b"print()" * 20}).files == ()
    assert elf.read(io.BytesIO(made(kind=1))) is None


def test_links_in_a_circle():
    files = {PROGRAM: made("liba.so")}
    assert found(files, {f"{LIB}/liba.so": "libb.so", f"{LIB}/libb.so": "liba.so"}).needs == ((PROGRAM, "liba.so"),)
