/* SPDX-License-Identifier: MIT */
/*
 * fuse_fs FOLDER: a file system that does not answer. It talks to the kernel itself, not through libfuse: a hang is a
 * request that is read and not answered, and every build for Linux can have it, also where there is no libfuse.
 *
 * What a file does is in its name:
 *
 *   plain         nothing unusual: every lock is granted, even two that exclude each other
 *   hang-lookup   the request is held: looking the name up,
 *   hang-getattr  asking for its size and the like,
 *   hang-open     opening it,
 *   hang-lock     locking it,
 *   hang-unlock   unlocking it,
 *   hang-flush    closing a descriptor of it
 *   busy          a lock is refused with EAGAIN at once, and held if it may wait
 *   polite        the same, but the wait ends when the kernel says that nobody waits any more
 *   refuse-N      a lock fails with the errno N
 *
 * It says "ready" when it is mounted, or why it is not. Then it is told on stdin, a line at a time: "hold" what is held
 * by name (the default), or "go on" and answer everything held. Each is answered with "done". At the end of stdin, and
 * after two minutes in any case, it ends, and what waits for it gets an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const names[] = {"plain",       "hang-lookup", "hang-getattr", "hang-open", "hang-lock",
                                    "hang-unlock", "hang-flush",  "busy",         "polite"};
enum { PLAIN, HANG_LOOKUP, HANG_GETATTR, HANG_OPEN, HANG_LOCK, HANG_UNLOCK, HANG_FLUSH, BUSY, POLITE, NAMES };

/* Numbers of nodes: 1 is the folder, then the names, and from here on those that refuse. */
#define FIRST (FUSE_ROOT_ID + 1)
#define REFUSE 1000

#define HELD 64
#define HEAD 256 /* as much of a held request as is needed to answer it */

struct request {
  struct fuse_in_header header;
  char body[HEAD];
};

static struct request held[HELD];
static int held_count;
static bool holding = true;
static int device;

/* ---- Answers. */

static void answer(const struct request *request, int os_code, const void *data, size_t size) {
  struct fuse_out_header header = {0};
  char message[1024];

  header.unique = request->header.unique;
  header.error = -os_code;
  header.len = (uint32_t)(sizeof(header) + (os_code == 0 ? size : 0));
  memcpy(message, &header, sizeof(header));
  if (os_code == 0 && size > 0) memcpy(message + sizeof(header), data, size);
  /* ENOENT: nobody waits for it any more. */
  if (write(device, message, header.len) < 0 && errno != ENOENT) perror("fuse_fs: answer");
}

static void attributes(uint64_t node, struct fuse_attr *attr) {
  memset(attr, 0, sizeof(*attr));
  attr->ino = node;
  attr->mode = node == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666;
  attr->nlink = 1;
  attr->blksize = 4096;
}

static uint64_t node_of(const char *name) {
  int at;

  for (at = 0; at < NAMES; at++)
    if (strcmp(name, names[at]) == 0) return (uint64_t)at + FIRST;
  return strncmp(name, "refuse-", 7) == 0 ? REFUSE + strtoul(name + 7, NULL, 10) : 0;
}

static void answer_lookup(const struct request *request) {
  struct fuse_entry_out entry = {0};

  entry.nodeid = node_of(request->body);
  attributes(entry.nodeid, &entry.attr);
  if (entry.nodeid != HANG_GETATTR + FIRST) entry.attr_valid = 3600; /* the kernel will not ask again */
  answer(request, entry.nodeid == 0 ? ENOENT : 0, &entry, sizeof(entry));
}

static void answer_attributes(const struct request *request) {
  struct fuse_attr_out out = {0};

  attributes(request->header.nodeid, &out.attr);
  answer(request, 0, &out, sizeof(out));
}

static void answer_open(const struct request *request) {
  struct fuse_open_out out = {0};

  answer(request, 0, &out, sizeof(out));
}

static const struct fuse_lk_in *lock_of(const struct request *request) { return (const void *)request->body; }

static void answer_lock(const struct request *request) {
  uint64_t node = request->header.nodeid;
  bool unlock = lock_of(request)->lk.type == F_UNLCK;

  if (unlock || !holding)
    answer(request, node >= REFUSE && !unlock ? (int)(node - REFUSE) : 0, NULL, 0);
  else if (node == BUSY + FIRST || node == POLITE + FIRST)
    answer(request, EAGAIN, NULL, 0);
  else
    answer(request, node >= REFUSE ? (int)(node - REFUSE) : 0, NULL, 0);
}

static void answer_get_lock(const struct request *request) {
  struct fuse_lk_out out = {{0}};

  out.lk.type = F_UNLCK;
  answer(request, 0, &out, sizeof(out));
}

static void answer_space(const struct request *request) {
  struct fuse_statfs_out out = {{0}};

  out.st.namelen = 255;
  out.st.bsize = out.st.frsize = 4096;
  answer(request, 0, &out, sizeof(out));
}

static void begin(const struct request *request) {
  const struct fuse_init_in *in = (const void *)request->body;
  struct fuse_init_out out = {0};

  out.major = FUSE_KERNEL_VERSION;
  out.minor = FUSE_KERNEL_MINOR_VERSION;
  out.max_readahead = in->max_readahead;
  out.max_write = 4096;
  out.flags = FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS; /* locks are asked of us, not kept by the kernel itself */
  answer(request, 0, &out, sizeof(out));
  puts("ready");
}

/* ---- Requests. */

static bool to_be_held(const struct request *request) {
  uint64_t node = request->header.nodeid;

  switch (holding ? request->header.opcode : 0) {
  case FUSE_LOOKUP:
    return strcmp(request->body, names[HANG_LOOKUP]) == 0;
  case FUSE_GETATTR:
    return node == HANG_GETATTR + FIRST;
  case FUSE_OPEN:
    return node == HANG_OPEN + FIRST;
  case FUSE_FLUSH:
    return node == HANG_FLUSH + FIRST;
  case FUSE_SETLK:
  case FUSE_SETLKW:
    if (lock_of(request)->lk.type == F_UNLCK) return node == HANG_UNLOCK + FIRST;
    if (node == BUSY + FIRST || node == POLITE + FIRST) return request->header.opcode == FUSE_SETLKW;
    return node == HANG_LOCK + FIRST;
  default:
    return false;
  }
}

static void interrupt(const struct request *request) {
  const struct fuse_interrupt_in *in = (const void *)request->body;
  int at;

  for (at = 0; at < held_count; at++) {
    if (held[at].header.unique != in->unique || held[at].header.nodeid != POLITE + FIRST) continue;
    answer(&held[at], EINTR, NULL, 0);
    held[at] = held[--held_count];
    return;
  }
}

static void serve(const struct request *request) {
  if (to_be_held(request)) {
    if (held_count < HELD) held[held_count++] = *request;
    return;
  }
  switch (request->header.opcode) {
  case FUSE_INIT:
    begin(request);
    return;
  case FUSE_LOOKUP:
    answer_lookup(request);
    return;
  case FUSE_GETATTR:
  case FUSE_SETATTR:
    answer_attributes(request);
    return;
  case FUSE_OPEN:
    answer_open(request);
    return;
  case FUSE_STATFS:
    answer_space(request);
    return;
  case FUSE_GETLK:
    answer_get_lock(request);
    return;
  case FUSE_SETLK:
  case FUSE_SETLKW:
    answer_lock(request);
    return;
  case FUSE_INTERRUPT:
    interrupt(request);
    return;
  case FUSE_FORGET:
  case FUSE_BATCH_FORGET:
    return; /* these have no answer */
  case FUSE_READ:
  case FUSE_FLUSH:
  case FUSE_RELEASE:
  case FUSE_DESTROY:
    answer(request, 0, NULL, 0);
    return;
  default:
    answer(request, ENOSYS, NULL, 0);
  }
}

static void go_on(void) {
  int at, count = held_count;

  holding = false;
  held_count = 0;
  for (at = 0; at < count; at++) serve(&held[at]);
}

/* ---- */

static bool mount_at(const char *folder) {
  char options[128];

  device = open("/dev/fuse", O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (device < 0) return false;
  snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other", device, (int)getuid(),
           (int)getgid());
  return mount("safehold-test", folder, "fuse", MS_NOSUID | MS_NODEV, options) == 0;
}

/* False when the file system was unmounted or aborted. */
static bool serve_one(void) {
  static char buffer[1 << 16]; /* the kernel insists on room for the largest request */
  struct request request;
  ssize_t size = read(device, buffer, sizeof(buffer));

  if (size < 0) return errno == EINTR || errno == EAGAIN || errno == ENOENT;
  memset(&request, 0, sizeof(request));
  memcpy(&request, buffer, (size_t)size < sizeof(request) - 1 ? (size_t)size : sizeof(request) - 1);
  serve(&request);
  return true;
}

static bool obey(void) {
  char line[64];
  ssize_t length = read(0, line, sizeof(line));

  if (length <= 0) return false;
  if (line[0] == 'g')
    go_on();
  else
    holding = true;
  puts("done");
  return true;
}

int main(int argc, char **argv) {
  struct pollfd ready[2] = {{-1, POLLIN, 0}, {0, POLLIN, 0}};

  if (argc != 2) return 99;
  setvbuf(stdout, NULL, _IOLBF, 0);
  alarm(120);
  if (!mount_at(argv[1])) {
    printf("no file system: %s\n", strerror(errno));
    return 1;
  }
  ready[0].fd = device;
  for (;;) {
    if (poll(ready, 2, -1) < 0) continue;
    if (ready[0].revents != 0 && !serve_one()) break;
    if (ready[1].revents != 0 && !obey()) break;
  }
  umount2(argv[1], MNT_DETACH);
  return 0;
}
