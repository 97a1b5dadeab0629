"""Take away from this process what foreign machine code must not have; there is no way back.

Three layers: resource limits; system calls that no solver needs (seccomp); all writing of files, and
reading other than of the libraries of the machine and one folder (Landlock). The first always, the
others where the kernel has them: `confine` returns what is in force, and every run carries that.
"""

import ctypes
import errno
import os
import platform
import resource
import sysconfig
from collections.abc import Sequence
from pathlib import Path

_PR_SET_NO_NEW_PRIVS = 38
_OPEN_FILES = 64

# x86-64 and AArch64 numbers. Sockets and io_uring: no network, and no local database that trusts.
# Processes: none is started, followed, stopped or looked into, and no limit is lifted again.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "socketpair": (53, 199),
    "io_uring_setup": (425, 425),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "kill": (62, 129),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "shmat": (30, 196),
    "setrlimit": (160, 164),
    "prlimit64": (302, 261),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_by_handle_at": (304, 265),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
}
_CLONE, _CLONE3, _TGKILL, _SECCOMP = (56, 220), (435, 435), (234, 131), (317, 277)
_CLONE_THREAD = 0x00010000
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

# Classic BPF: load a word, jump if equal, greater or equal, or a bit is set, return.
_LOAD, _EQUAL, _AT_LEAST, _BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_AT_NUMBER, _AT_ARCHITECTURE, _AT_FIRST = 0, 4, 16

# Landlock (Linux 5.13): what each ABI added to the rights that it handles.
_LANDLOCK = (444, 445, 446)
_READ_FILE, _READ_DIR, _WRITE_FILE = 1 << 2, 1 << 3, 1 << 1
_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_ABI, _SCOPE_ABI = 4, 6
_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom")


class _Filter(ctypes.Structure):
    _fields_ = [
        ("code", ctypes.c_ushort),
        ("if_true", ctypes.c_ubyte),
        ("if_false", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    ]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filters", ctypes.POINTER(_Filter))]


class _Ruleset(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("files", "network", "scoped")]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def confine(folder: Path, *, cpu_s: int, memory_bytes: int, file_bytes: int) -> tuple[str, ...]:
    """Confine this process for good; `memory_bytes` come on top of what it has now."""
    _limit(cpu_s, memory_bytes, file_bytes)
    found = ["limits"]
    libc = ctypes.CDLL(None, use_errno=True)
    if platform.system() == "Linux" and libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
        if _restrict_files(libc, folder):
            found.append("files")
        if _restrict_calls(libc):
            found.append("system calls")
    return tuple(found)


def _limit(cpu_s: int, memory_bytes: int, file_bytes: int) -> None:
    statm = Path("/proc/self/statm")
    has = int(statm.read_text().split()[0]) * resource.getpagesize() if statm.exists() else 0
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    if has:  # macOS has the limit and does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (has + memory_bytes, has + memory_bytes))


def _restrict_calls(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in _ARCHITECTURES:
        return False
    column, architecture = _ARCHITECTURES[platform.machine()]
    lines = [
        (_LOAD, 0, 0, _AT_ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
        # The second set of numbers of x86-64 would go round the list.
        (_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]
    for numbers in _CALLS.values():
        number = numbers[column]
        if number is not None:
            lines += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    # Threads, but no processes; clone3 hides its flags in memory, and libc then asks with clone.
    lines += [(_EQUAL, 0, 1, _CLONE3[column]), (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)]
    lines += _only_if(_CLONE[column], (_BIT, 0, 1, _CLONE_THREAD))
    # abort() signals its own process, and no other.
    lines += _only_if(_TGKILL[column], (_EQUAL, 0, 1, os.getpid()))
    lines.append((_RETURN, 0, 0, _ALLOW))
    filters = (_Filter * len(lines))(*(_Filter(*line) for line in lines))
    program = _Program(len(lines), filters)
    set_filter, all_threads = 1, 1
    done = libc.syscall(_SECCOMP[column], set_filter, all_threads, ctypes.byref(program))
    return bool(done == 0)


def _only_if(number: int, test: tuple[int, int, int, int]) -> list[tuple[int, int, int, int]]:
    """Return the lines that allow a call only when its first argument passes a test."""
    return [
        (_EQUAL, 0, 4, number),
        (_LOAD, 0, 0, _AT_FIRST),
        test,
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | errno.EPERM),
    ]


def _restrict_files(libc: ctypes.CDLL, folder: Path) -> bool:
    create, add, restrict = _LANDLOCK
    abi = libc.syscall(create, None, 0, 1)
    if abi < 1:
        return False
    rights = _RIGHTS[max(one for one in _RIGHTS if one <= abi)]
    size = 8 * (1 + (abi >= _NET_ABI) + (abi >= _SCOPE_ABI))
    ruleset = _Ruleset(rights, 3 if abi >= _NET_ABI else 0, 3 if abi >= _SCOPE_ABI else 0)
    handle = libc.syscall(create, ctypes.byref(ruleset), size, 0)
    if handle < 0:
        return False
    for path, wanted in (
        *((path, _READ_FILE | _READ_DIR) for path in _readable()),
        ("/dev/null", _READ_FILE | _WRITE_FILE),
        # Not to be written either: else a model could fill the disk, or keep what it should not.
        (str(folder), _READ_FILE | _READ_DIR),
    ):
        if not os.path.exists(path):  # noqa: PTH110 -- a string that goes to os.open below
            continue
        is_folder = os.path.isdir(path)  # noqa: PTH112 -- the same
        allowed = wanted if is_folder else wanted & (_READ_FILE | _WRITE_FILE)
        parent = os.open(path, os.O_PATH)
        done = libc.syscall(add, handle, 1, ctypes.byref(_Beneath(allowed, parent)), 0)
        os.close(parent)
        if done != 0:
            return False
    return bool(libc.syscall(restrict, handle, 0) == 0)


def _readable() -> Sequence[str]:
    paths = sysconfig.get_paths()
    return (*_SYSTEM, *(paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")))
