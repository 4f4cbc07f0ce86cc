/* SPDX-License-Identifier: ISC */
/*
 * System calls by name, as Linux has them on all machines: a 32-bit machine has other names for many (linux/unistd.h of
 * each), and C libraries use different ones for the same.
 */
#include "config.h"

#include "os/seccomp.h"

#include <stddef.h>

/*
 * The director after its start. It starts no process and changes no user, namespace, mount or program. socket, bind,
 * sendto, mmap, mprotect, kill and tgkill depend on their arguments: seccomp_linux.c.
 */
const char *const seccomp_director_calls[] = {
	/* memory */
	"brk", "munmap", "mremap", "madvise", "membarrier",
	/* the configuration, at a reload; state file, control socket, pidfile; /proc and /sys */
	"open", "openat", "openat2", "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64",
	    "pwritev",
	"pwritev2", "close", "close_range", "lseek", "_llseek", "fstat", "fstat64", "stat", "stat64", "lstat",
	    "lstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat",
	    "faccessat2",
	"readlink", "readlinkat", "getdents", "getdents64", "getcwd", "ftruncate", "ftruncate64", "fallocate", "rename",
	"renameat", "renameat2", "unlink", "unlinkat", "fsync", "fdatasync", "msync", "flock", "fcntl", "fcntl64",
	    "dup", "dup2",
	"dup3", "pipe", "pipe2", "fchmod", "fadvise64", "fadvise64_64", "ioctl",
	/* waiting */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
	"ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd", "eventfd2", "timerfd_create",
	"timerfd_settime", "timerfd_settime64", "timerfd_gettime", "timerfd_gettime64",
	/* time */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time", "times",
	    "nanosleep",
	"clock_nanosleep", "clock_nanosleep_time64",
	/* itself */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaction", "sigprocmask", "sigreturn", "sigaltstack",
	    "wait4",
	"waitid", "waitpid", "capget", "chdir", "getpid", "gettid", "getppid", "getuid", "getuid32", "geteuid",
	    "geteuid32", "getgid", "getgid32",
	"getegid", "getegid32", "getrusage", "sysinfo", "uname", "getrlimit", "ugetrlimit", "prlimit64", "sched_yield",
	"sched_getaffinity", "getcpu", "futex", "futex_time64", "restart_syscall", "exit", "exit_group", "rseq",
	"set_robust_list", "get_robust_list", "getrandom",
	/* sockets; i386 and s390x have one call for all of them */
	"socketcall", "connect", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
	"setsockopt", "send", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg", "recvmmsg", "recvmmsg_time64",
	"shutdown",
	NULL
};

/*
 * The checker: connections to servers, and the system's certificates. socket, sendto, ioctl, mmap, mprotect, kill and
 * tgkill depend on their arguments.
 */
const char *const seccomp_checker_calls[] = {
	/* memory */
	"brk", "munmap", "mremap", "madvise", "membarrier",
	/* certificates */
	"open", "openat", "openat2", "read", "readv", "pread64", "write", "writev", "close", "close_range", "lseek",
	"_llseek", "fstat", "fstat64", "stat", "stat64", "lstat", "lstat64", "newfstatat", "fstatat64", "statx", "access",
	"faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "fcntl", "fcntl64",
	"fadvise64", "fadvise64_64",
	/* waiting */
	"epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
	"ppoll_time64", "select", "_newselect", "pselect6", "pselect6_time64", "eventfd", "eventfd2", "timerfd_create",
	"timerfd_settime", "timerfd_settime64",
	/* time */
	"clock_gettime", "clock_gettime64", "clock_getres", "clock_getres_time64", "gettimeofday", "time", "times",
	"nanosleep", "clock_nanosleep", "clock_nanosleep_time64",
	/* itself */
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaction", "sigprocmask", "sigreturn", "sigaltstack", "getpid",
	"gettid", "getppid", "getuid", "getuid32", "geteuid", "geteuid32", "getgid", "getgid32", "getegid", "getegid32",
	"getrusage", "sysinfo", "uname", "getrlimit", "ugetrlimit", "sched_yield", "sched_getaffinity", "getcpu", "futex",
	"futex_time64", "restart_syscall", "exit", "exit_group", "rseq", "set_robust_list", "get_robust_list", "getrandom",
	/* sockets; i386 and s390x have one call for all of them */
	"socketcall", "connect", "getsockname", "getpeername", "getsockopt", "setsockopt", "send", "recv", "recvfrom",
	"shutdown",
	NULL
};

/* What no check, and no program for `notify`, has to do. */
const char *const seccomp_program_refusals[] = { "acct", "add_key", "adjtimex", "chroot", "clock_adjtime",
	"clock_adjtime64", "clock_settime", "clock_settime64", "delete_module", "finit_module", "fsconfig", "fsmount",
	    "fsopen",
	"fspick", "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie",
	"modify_ldt", "mount", "mount_setattr", "move_mount", "name_to_handle_at", "nfsservctl", "open_by_handle_at",
	"open_tree", "perf_event_open", "pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv",
	    "process_vm_writev",
	"ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "setdomainname", "sethostname", "setns",
	    "settimeofday",
	"stime", "swapoff", "swapon", "syslog", "umount", "umount2", "unshare", "uselib", "userfaultfd", "vhangup",
	    NULL };

/*
 * C libraries and event loops have another way where these are missing. clone3 has its flags in memory: not to be
 * seen.
 */
const char *const seccomp_program_unknown[] = { "clone3", "io_uring_enter", "io_uring_register", "io_uring_setup",
    NULL };
