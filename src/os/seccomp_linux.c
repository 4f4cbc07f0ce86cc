/* SPDX-License-Identifier: ISC */
/* A filter of system calls by libseccomp. What the director must not do is refused with EPERM, and reported. */
#include "config.h"

#include "os/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>

/* unshare(2): flags of clone(2). Older headers lack the last two. */
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | 0x02000000 | 0x80)

/* In s390's clone the stack comes first (man 2 clone). */
#if defined(__s390__) || defined(__s390x__)
#define CLONE_FLAGS 1
#else
#define CLONE_FLAGS 0
#endif

#define SOCKET_TYPE 0xf /* beside it are flags (linux/net.h, SOCK_TYPE_MASK) */

#define REFUSED_MOST 16 /* a power of two */

/*
 * Written by the handler of SIGSYS, which a refused call raises in the thread that made it; or by the thread that lets
 * calls pass where nothing is refused.
 */
static atomic_int refused_calls[REFUSED_MOST];
static atomic_uint refused_count;
static unsigned refused_read;

/* The register with the result of a call. False: not known on this machine. */
static bool
set_result(ucontext_t *context, long result)
{
#if defined(__x86_64__)
	context->uc_mcontext.gregs[REG_RAX] = result;
#elif defined(__i386__)
	context->uc_mcontext.gregs[REG_EAX] = (int)result;
#elif defined(__aarch64__)
	context->uc_mcontext.regs[0] = (unsigned long)result;
#elif defined(__arm__)
	context->uc_mcontext.arm_r0 = (unsigned long)result;
#elif defined(__riscv)
	context->uc_mcontext.__gregs[REG_A0] = (unsigned long)result;
#elif defined(__s390x__)
	context->uc_mcontext.gregs[2] = (unsigned long)result;
#else
	(void)context;
	(void)result;
	return false;
#endif
	return true;
}

static void
seccomp_note(int call)
{
	const unsigned at = atomic_load(&refused_count);

	atomic_store(&refused_calls[at & (REFUSED_MOST - 1)], call);
	atomic_store(&refused_count, at + 1);
}

static void
on_refused(int number UNUSED, siginfo_t *info, void *context)
{
	seccomp_note(info->si_syscall);
	(void)set_result(context, -EPERM);
}

bool
os_sandbox_refused(char name[OS_CALL_NAME], unsigned *lost)
{
	const unsigned count = atomic_load(&refused_count);
	char *found;
	int call;

	*lost = 0;
	if (count == refused_read)
		return false;
	if (count - refused_read > REFUSED_MOST) {
		*lost = count - refused_read - REFUSED_MOST;
		refused_read = count - REFUSED_MOST;
	}
	call = atomic_load(&refused_calls[refused_read++ & (REFUSED_MOST - 1)]);
	found = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, call);
	if (found != NULL)
		(void)snprintf(name, OS_CALL_NAME, "%s", found);
	else
		(void)snprintf(name, OS_CALL_NAME, "number %d", call);
	free(found);
	return true;
}

/* 0 also for a call that this machine does not have. */
static int
add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned count,
    const struct scmp_arg_cmp *arguments)
{
	const int call = seccomp_syscall_resolve_name(name);
	int result;

	if (call == __NR_SCMP_ERROR)
		return 0;
	result = seccomp_rule_add_array(filter, action, call, count, arguments);
	/* A call of another machine's, which has no number here (a negative one of libseccomp's own). */
	return result == -EDOM || (result == -EINVAL && call < 0) ? 0 : result;
}

static int
add_rules(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
	int result = 0;

	for (; *names != NULL && result == 0; names++)
		result = add_rule(filter, action, *names, 0, NULL);
	return result;
}

static int
add_socket_rules(scmp_filter_ctx filter)
{
	static const int families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };
	/*
	 * Netlink's addresses (the C library's getifaddrs()) have 12 bytes, IPv4's 16, and those of packet sockets
	 * 20: these are bound by the privileged process, to one interface.
	 */
	const struct scmp_arg_cmp short_name[] = { SCMP_A2(SCMP_CMP_LE, sizeof(struct sockaddr_in), 0) };
	const struct scmp_arg_cmp short_destination[] = { SCMP_A5(SCMP_CMP_LE, sizeof(struct sockaddr_in), 0) };
	int result = add_rule(filter, SCMP_ACT_ALLOW, "bind", 1, short_name);

	if (result == 0)
		result = add_rule(filter, SCMP_ACT_ALLOW, "sendto", 1, short_destination);
	for (size_t i = 0; i < ARRAY_LEN(families) && result == 0; i++)
		result = add_rule(filter, SCMP_ACT_ALLOW, "socket", 1,
		    (const struct scmp_arg_cmp[]) { SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i], 0) });
	return result;
}

/* Streams and datagrams of the Internet, connected: no address goes with what is sent. */
static int
add_checker_rules(scmp_filter_ctx filter)
{
	static const int families[] = { AF_INET, AF_INET6 }, types[] = { SOCK_STREAM, SOCK_DGRAM };
	const struct scmp_arg_cmp connected[] = { SCMP_A4(SCMP_CMP_EQ, 0, 0) };
	const struct scmp_arg_cmp length[] = { SCMP_A1(SCMP_CMP_EQ, FIONREAD, 0) };
	int result = add_rule(filter, SCMP_ACT_ALLOW, "sendto", 1, connected);

	if (result == 0)
		result = add_rule(filter, SCMP_ACT_ALLOW, "ioctl", 1, length);
	for (size_t i = 0; i < ARRAY_LEN(families) * ARRAY_LEN(types) && result == 0; i++)
		result = add_rule(filter, SCMP_ACT_ALLOW, "socket", 2, (const struct scmp_arg_cmp[]) {
		    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)families[i / ARRAY_LEN(types)], 0),
		    SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, (scmp_datum_t)types[i % ARRAY_LEN(types)]) });
	return result;
}

/* No memory becomes code, and signals go to this process alone. */
static int
add_argument_rules(scmp_filter_ctx filter)
{
	static const char *const maps[] = { "mmap2", "mprotect" };
	static const char *const signals[] = { "kill", "tgkill" };
	const struct scmp_arg_cmp no_code[] = { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) };
	const struct scmp_arg_cmp own[] = { SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0) };
	int result = 0;

	for (size_t i = 0; i < ARRAY_LEN(maps) && result == 0; i++)
		result = add_rule(filter, SCMP_ACT_ALLOW, maps[i], 1, no_code);
	/* i386 and s390x have its arguments in memory. */
#if defined(__i386__) || defined(__s390__) || defined(__s390x__)
	if (result == 0)
		result = add_rule(filter, SCMP_ACT_ALLOW, "mmap", 0, NULL);
#else
	if (result == 0)
		result = add_rule(filter, SCMP_ACT_ALLOW, "mmap", 1, no_code);
#endif
	for (size_t i = 0; i < ARRAY_LEN(signals) && result == 0; i++)
		result = add_rule(filter, SCMP_ACT_ALLOW, signals[i], 1, own);
	return result;
}

static uint32_t
refusal(bool log, int number)
{
	return log ? SCMP_ACT_LOG : SCMP_ACT_ERRNO((unsigned)number);
}

static int
add_program_rules(scmp_filter_ctx filter, bool log)
{
	const uint32_t refuse = refusal(log, EPERM);
	const struct scmp_arg_cmp packet[] = { SCMP_A0(SCMP_CMP_EQ, AF_PACKET, 0) };
	int result = add_rules(filter, refuse, seccomp_program_refusals);

	if (result == 0)
		result = add_rules(filter, refusal(log, ENOSYS), seccomp_program_unknown);
	if (result == 0)
		result = add_rule(filter, refuse, "bpf", 0, NULL);
	if (result == 0)
		result = add_rule(filter, refuse, "socket", 1, packet);
	/* One rule for each bit: libseccomp cannot ask for "any of them". */
	for (unsigned bit = 1; bit != 0 && result == 0; bit <<= 1)
		if ((NAMESPACES & bit) != 0)
			result = add_rule(filter, refuse, "clone", 1,
			    (const struct scmp_arg_cmp[]) { SCMP_CMP(CLONE_FLAGS, SCMP_CMP_MASKED_EQ, bit, bit) });
	return result;
}

/* Reported where it can be: then the process goes on as if the kernel had refused. */
/* --- sandbox = log: what would be refused passes, and is noted ---------------------------------------------------- */

#ifdef SCMP_ACT_NOTIFY /* libseccomp 2.5 */
#define CALLS_MOST 512
#define CONTINUE 1U /* SECCOMP_USER_NOTIF_FLAG_CONTINUE, Linux 5.5 (linux/seccomp.h) */
#define API_WITH_CONTINUE 6

struct watch {
	int ends[2]; /* of the pipe that the listener's descriptor comes by */
	struct seccomp_notif *call;
	struct seccomp_notif_resp *answer;
	bool seen[CALLS_MOST];
};

/*
 * It began before the filter did, so nothing of it is watched. It allocates nothing: fork() waits for it with the C
 * library's locks held. Each call is noted once, since some are made again and again.
 */
static void *
seccomp_watch(void *argument)
{
	struct watch *watch = argument;
	struct seccomp_notif *const call = watch->call;
	struct seccomp_notif_resp *const answer = watch->answer;
	int listener;

	if (read(watch->ends[0], &listener, sizeof(listener)) != (ssize_t)sizeof(listener))
		return NULL;
	for (;;) {
		memset(call, 0, sizeof(*call));
		if (seccomp_notify_receive(listener, call) != 0)
			continue; /* a signal, or the one that called is gone */
		if (call->data.nr < 0 || call->data.nr >= CALLS_MOST || !watch->seen[call->data.nr])
			seccomp_note(call->data.nr);
		if (call->data.nr >= 0 && call->data.nr < CALLS_MOST)
			watch->seen[call->data.nr] = true;
		memset(answer, 0, sizeof(*answer));
		answer->id = call->id;
		answer->flags = CONTINUE;
		(void)seccomp_notify_respond(listener, answer);
	}
}

static uint32_t
seccomp_watch_action(void)
{
	return seccomp_api_get() >= API_WITH_CONTINUE ? SCMP_ACT_NOTIFY : SCMP_ACT_LOG;
}

/* The first call that is not on the list waits for the thread: nothing comes between the filter and the word to it. */
static int
seccomp_watch_load(scmp_filter_ctx filter)
{
	static struct watch watch; /* for as long as the process runs */
	sigset_t all, before;
	pthread_t thread;
	int result, listener;

	if (seccomp_watch_action() == SCMP_ACT_LOG)
		return seccomp_load(filter);
	result = seccomp_notify_alloc(&watch.call, &watch.answer);
	if (result == 0 && pipe2(watch.ends, O_CLOEXEC) == -1)
		result = -errno;
	if (result != 0)
		return result;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	result = pthread_create(&thread, NULL, seccomp_watch, &watch);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result != 0)
		return -result;
	result = seccomp_load(filter);
	listener = result == 0 ? seccomp_notify_fd(filter) : -1;
	return write(watch.ends[1], &listener, sizeof(listener)) == (ssize_t)sizeof(listener) ? result : -EIO;
}
#else
static uint32_t
seccomp_watch_action(void)
{
	return SCMP_ACT_LOG;
}

static int
seccomp_watch_load(scmp_filter_ctx filter)
{
	return seccomp_load(filter);
}
#endif

static uint32_t
listed_refusal(bool log)
{
	struct sigaction action = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	ucontext_t unused;

	if (log)
		return seccomp_watch_action();
	(void)sigfillset(&action.sa_mask);
	memset(&unused, 0, sizeof(unused));
	return set_result(&unused, 0) && sigaction(SIGSYS, &action, NULL) == 0 ? SCMP_ACT_TRAP : SCMP_ACT_ERRNO(EPERM);
}

/* It may do what is on a list; the others may do what is on none. */
static bool
is_listed(enum os_process process)
{
	return process == OS_PROCESS_DIRECTOR || process == OS_PROCESS_CHECKER;
}

static scmp_filter_ctx
make_filter(enum os_process process, bool log, int *result)
{
	scmp_filter_ctx filter = seccomp_init(is_listed(process) ? listed_refusal(log) : SCMP_ACT_ALLOW);

	*result = -ENOMEM;
	if (filter == NULL)
		return NULL;
	/*
	 * Each only where kernel and libseccomp have it: a tree instead of a list, and no slower processor for its
	 * sake.
	 */
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_LOG, 1);
	switch (process) {
	case OS_PROCESS_DIRECTOR:
		*result = add_rules(filter, SCMP_ACT_ALLOW, seccomp_director_calls);
		if (*result == 0)
			*result = add_argument_rules(filter);
		if (*result == 0)
			*result = add_socket_rules(filter);
		break;
	case OS_PROCESS_CHECKER:
		*result = add_rules(filter, SCMP_ACT_ALLOW, seccomp_checker_calls);
		if (*result == 0)
			*result = add_argument_rules(filter);
		if (*result == 0)
			*result = add_checker_rules(filter);
		break;
	case OS_PROCESS_PRIVILEGED:
		*result = add_rules(filter, refusal(log, EPERM), seccomp_program_refusals);
		break;
	case OS_PROCESS_LAUNCHER:
		*result = add_program_rules(filter, log);
		break;
	}
	return filter;
}

int
seccomp_enter(enum os_process process, enum os_sandbox_mode mode, struct os_sandbox *sandbox, char error[OS_ERROR])
{
	const bool watched = mode == OS_SANDBOX_LOG && is_listed(process);
	int result;
	scmp_filter_ctx filter = make_filter(process, mode == OS_SANDBOX_LOG, &result);

	if (result == 0)
		result = watched ? seccomp_watch_load(filter) : seccomp_load(filter);
	seccomp_release(filter);
	if (result == 0) {
		sandbox->calls = mode == OS_SANDBOX_LOG ? OS_CONFINED_LOG : OS_CONFINED_YES;
		(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), "seccomp");
		return 0;
	}
	sandbox->calls = OS_CONFINED_NO;
	if (result == -EINVAL || result == -ENOSYS) {
		(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), "the kernel has no seccomp");
		return 0;
	}
	(void)snprintf(sandbox->calls_by, sizeof(sandbox->calls_by), "seccomp: %s", strerror(-result));
	(void)snprintf(error, OS_ERROR, "seccomp: %s", strerror(-result));
	return -1;
}
