/* SPDX-License-Identifier: MIT */
/*
 * What a child would inherit, of this process or of another one of the same user: the kernel tells the close-on-exec
 * flag with everything else that it knows of a descriptor (proc_fileinfo, fill_fileinfo in kern_descrip.c).
 *
 * Of an open file it looks at the file as well, and may wait for a dead file server in doing so: hence the thread. What
 * can be told without files is found first.
 */
#include <errno.h>
#include <fcntl.h>
#include <libproc.h>
#include <string.h>
#include <sys/proc.h>
#include <sys/proc_info.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper.h"
#include "own_locks.h"

/* What the thread finds; named is set once kind and what are there. */
struct found {
  int fd;
  int32_t kind;
  atomic_bool named;
  char what[256];
};

struct audit {
  struct safe__helper helper;
  pid_t pid;
  bool own;
  uint32_t flags; /* SAFE_AUDIT_* */
  struct proc_fdinfo *open;
  int open_count;
  struct found *found; /* room for all that are open */
  atomic_int count;    /* grows after what it counts */
  atomic_int os_code, untold;
  atomic_bool given_up, listed, no_memory;
};

/* Of each type that tells more than its number. All begin with proc_fileinfo. */
union details {
  struct proc_fileinfo file;
  struct vnode_fdinfowithpath vnode;
  struct socket_fdinfo socket;
  struct psem_fdinfo semaphore;
  struct pshm_fdinfo memory;
  struct pipe_fdinfo pipe;
  struct kqueue_fdinfo queue;
  struct channel_fdinfo channel;
};

static const struct {
  uint32_t type;
  int flavor;
  size_t size;
  int32_t kind;
  const char *name;
} types[] = {
  {PROX_FDTYPE_VNODE, PROC_PIDFDVNODEPATHINFO, sizeof(struct vnode_fdinfowithpath), SAFE_KIND_FILE, ""},
  {PROX_FDTYPE_SOCKET, PROC_PIDFDSOCKETINFO, sizeof(struct socket_fdinfo), SAFE_KIND_SOCKET, "socket"},
  {PROX_FDTYPE_PSEM, PROC_PIDFDPSEMINFO, sizeof(struct psem_fdinfo), SAFE_KIND_EVENT, "semaphore"},
  {PROX_FDTYPE_PSHM, PROC_PIDFDPSHMINFO, sizeof(struct pshm_fdinfo), SAFE_KIND_MEMORY, "shared memory"},
  {PROX_FDTYPE_PIPE, PROC_PIDFDPIPEINFO, sizeof(struct pipe_fdinfo), SAFE_KIND_PIPE, "pipe"},
  {PROX_FDTYPE_KQUEUE, PROC_PIDFDKQUEUEINFO, sizeof(struct kqueue_fdinfo), SAFE_KIND_EVENT, "kqueue"},
  {PROX_FDTYPE_CHANNEL, PROC_PIDFDCHANNELINFO, sizeof(struct channel_fdinfo), SAFE_KIND_OTHER, "channel"},
};
#define TYPES (sizeof(types) / sizeof(types[0]))

static size_t place_of(uint32_t type) {
  size_t at = 0;

  while (at < TYPES && types[at].type != type) at++;
  return at;
}

static bool ask(const struct audit *audit, int fd, size_t type, union details *details) {
  return proc_pidfdinfo(audit->pid, fd, types[type].flavor, details, (int)types[type].size) >= (int)types[type].size;
}

static int32_t kind_of_mode(mode_t mode) {
  if (S_ISDIR(mode)) return SAFE_KIND_FOLDER;
  if (S_ISFIFO(mode)) return SAFE_KIND_PIPE;
  return S_ISCHR(mode) || S_ISBLK(mode) ? SAFE_KIND_DEVICE : SAFE_KIND_FILE;
}

static void name(struct found *found, size_t type, const union details *details) {
  const char *text = types[type].name;

  found->kind = types[type].kind;
  if (types[type].type == PROX_FDTYPE_VNODE) {
    found->kind = kind_of_mode(details->vnode.pvip.vip_vi.vi_stat.vst_mode);
    text = details->vnode.pvip.vip_path;
  } else if (types[type].type == PROX_FDTYPE_PSEM && details->semaphore.pseminfo.psem_name[0] != '\0') {
    text = details->semaphore.pseminfo.psem_name;
  } else if (types[type].type == PROX_FDTYPE_PSHM && details->memory.pshminfo.pshm_name[0] != '\0') {
    text = details->memory.pshminfo.pshm_name;
  }
  strncpy(found->what, text, sizeof(found->what) - 1);
  atomic_store(&found->named, true);
}

static struct found *append(struct audit *audit, int fd) {
  int count = atomic_load(&audit->count);
  struct found *found = &audit->found[count];

  found->fd = fd;
  found->kind = SAFE_KIND_OTHER;
  atomic_store(&audit->count, count + 1);
  return found;
}

/* ---- First without files. */

static bool is_wanted(const struct audit *audit, int fd) {
  return fd > STDERR_FILENO || (audit->flags & SAFE_AUDIT_STANDARD) != 0;
}

static void look_at_own(struct audit *audit, const struct proc_fdinfo *open) {
  size_t type = place_of(open->proc_fdtype);
  struct found *found;
  union details details;
  int flags = fcntl(open->proc_fd, F_GETFD);

  if (flags < 0 || (flags & FD_CLOEXEC) != 0) return;
  found = append(audit, open->proc_fd);
  if (type == TYPES)
    atomic_store(&found->named, true); /* as far as it can be */
  else if (open->proc_fdtype != PROX_FDTYPE_VNODE && ask(audit, open->proc_fd, type, &details))
    name(found, type, &details);
}

static void look_at_other(struct audit *audit, const struct proc_fdinfo *open) {
  size_t type = place_of(open->proc_fdtype);
  union details details;

  if (type == TYPES) {
    atomic_fetch_add(&audit->untold, 1);
    return;
  }
  if (!ask(audit, open->proc_fd, type, &details) || (details.file.fi_status & PROC_FP_CLEXEC) != 0) return;
  name(append(audit, open->proc_fd), type, &details);
}

/* ---- Then the files: of this process those that are in the list, of another one all, as each may be a leak. */

static void name_own_files(struct audit *audit) {
  int at, count = atomic_load(&audit->count);
  size_t type = place_of(PROX_FDTYPE_VNODE);
  union details details;

  for (at = 0; at < count && !atomic_load(&audit->given_up); at++)
    if (!atomic_load(&audit->found[at].named) && ask(audit, audit->found[at].fd, type, &details))
      name(&audit->found[at], type, &details);
}

static void scan(struct audit *audit) {
  int at, pass;

  for (pass = 0; pass < 2; pass++) {
    for (at = 0; at < audit->open_count && !atomic_load(&audit->given_up); at++) {
      const struct proc_fdinfo *open = &audit->open[at];
      if (!is_wanted(audit, open->proc_fd)) continue;
      if (audit->own && pass == 0) look_at_own(audit, open);
      if (!audit->own && (open->proc_fdtype == PROX_FDTYPE_VNODE) == (pass == 1)) look_at_other(audit, open);
    }
    if (!atomic_load(&audit->given_up)) atomic_store(&audit->listed, audit->own || pass == 1);
  }
  if (audit->own) name_own_files(audit);
}

static bool list_open(struct audit *audit) {
  int bytes;

  errno = 0;
  bytes = proc_pidinfo(audit->pid, PROC_PIDLISTFDS, 0, NULL, 0);
  if (bytes <= 0) {
    atomic_store(&audit->os_code, errno);
    return errno == 0;
  }
  audit->open = safe__alloc((size_t)bytes);
  audit->found = safe__alloc((size_t)bytes / sizeof(*audit->open) * sizeof(*audit->found));
  if (audit->open == NULL || audit->found == NULL) {
    atomic_store(&audit->no_memory, true);
    return false;
  }
  bytes = proc_pidinfo(audit->pid, PROC_PIDLISTFDS, 0, audit->open, bytes);
  audit->open_count = bytes / (int)sizeof(*audit->open);
  return true;
}

static void run(struct safe__helper *helper) {
  struct audit *audit = (struct audit *)helper;

  if (list_open(audit)) scan(audit);
}

static void free_audit(struct safe__helper *helper) {
  struct audit *audit = (struct audit *)helper;

  safe__free(audit->open);
  safe__free(audit->found);
  safe__free(audit);
}

/* ---- What came of it. */

static bool take(const struct audit *audit, const struct found *found, safe_handle_list *list) {
  safe_leak leak = {0};

  leak.handle = found->fd;
  leak.standard = found->fd <= STDERR_FILENO;
  if (!audit->own || !safe__own_lock_of(found->fd, &leak.lock_mode, &leak.lock_method))
    leak.lock_mode = leak.lock_method = -1;
  if (atomic_load(&found->named)) {
    leak.kind = found->kind;
    safe__leak_name(&leak, found->what);
  }
  return safe__leak_add(list, &leak);
}

static void take_all(const struct audit *audit, safe_handle_list *list) {
  int at, count = atomic_load(&audit->count), nameless = 0, untold = atomic_load(&audit->untold);
  bool room = true;

  for (at = 0; at < count && room; at++) {
    nameless += !atomic_load(&audit->found[at].named);
    room = take(audit, &audit->found[at], list);
  }
  if (!room) safe__leak_unknown(list, "There was not enough memory for all of them.");
  if (nameless > 0) safe__leak_unknown(list, "What %d of them are could not be asked, or not in time.", nameless);
  if (untold > 0)
    safe__leak_unknown(list, "Of %d descriptors macOS does not tell whether they are closed on exec.", untold);
  if (!atomic_load(&audit->listed))
    safe__leak_unknown(list, "The time for looking was over before all descriptors were seen.");
  else if (!audit->own)
    safe__leak_unknown(list, "macOS does not tell which of them have locks.");
}

/* A zombie is found by PROC_PIDT_SHORTBSDINFO with the argument 1, but not by PROC_PIDLISTFDS. */
static bool has_ended(pid_t pid) {
  struct proc_bsdshortinfo info;

  return proc_pidinfo(pid, PROC_PIDT_SHORTBSDINFO, 1, &info, sizeof(info)) >= (int)sizeof(info) &&
         info.pbsi_status == SZOMB;
}

static int fail(pid_t pid, int os_code, safe_handle_list *list, safe_error *error) {
  if (os_code == EPERM || os_code == EACCES)
    return safe__fail(error, SAFE_EACCES, SAFE_STAGE_INSPECT, -1,
                      "The descriptors of process %d may not be seen by this user.", (int)pid);
  if (os_code != ESRCH)
    return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "The descriptors of process %d cannot be seen",
                         (int)pid);
  if (!has_ended(pid))
    return safe__fail(error, SAFE_ENOENT, SAFE_STAGE_INSPECT, -1, "There is no process %d.", (int)pid);
  safe__leak_unknown(list, "Process %d has ended, and has no descriptors any more.", (int)pid);
  return SAFE_OK;
}

static int hand_over(const struct audit *audit, safe_handle_list *list, safe_error *error) {
  int os_code = atomic_load(&audit->os_code);

  if (os_code != 0) return fail(audit->pid, os_code, list, error);
  if (atomic_load(&audit->no_memory)) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  take_all(audit, list);
  return SAFE_OK;
}

int safe__os_audit(int64_t pid, uint32_t flags, int64_t deadline, safe_handle_list *list, safe_error *error) {
  struct audit *audit;
  int code, os_code;

  if (pid > INT32_MAX) return fail(INT32_MAX, ESRCH, list, error);
  audit = safe__alloc(sizeof(*audit));
  if (audit == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  audit->helper.run = run;
  audit->helper.free = free_audit;
  audit->pid = (pid_t)pid;
  audit->own = pid == safe__os_self();
  audit->flags = flags;
  os_code = safe__helper_start(&audit->helper);
  if (os_code != 0) {
    free_audit(&audit->helper);
    return safe__fail_os(error, os_code, SAFE_STAGE_INSPECT, -1, "No thread could be made to look");
  }
  if (safe__helper_await(&audit->helper, deadline, NULL, false) == SAFE_OK) {
    code = hand_over(audit, list, error);
    safe__helper_join(&audit->helper);
    free_audit(&audit->helper);
    return code;
  }
  atomic_store(&audit->given_up, true);
  code = hand_over(audit, list, error);
  safe__helper_park(&audit->helper);
  return code;
}
