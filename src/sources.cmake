# SPDX-License-Identifier: MIT
# Which files make the library. A file is one mechanism; the build chooses it here, so that the file itself needs
# no #if. Paths are relative to src/. A file for one system is named in that system's list and nowhere else.

# Every system.
set(SAFEHOLD_PORTABLE_SOURCES
  cancel.c
  clock.c
  communicate.c
  error.c
  holders.c
  lock.c
  memory.c
  options.c
  parked.c
  process.c
  stop.c
  timed_wait.c
  version.c
  wait_backoff.c
)

# Every Unix, then what only one of them has.
set(SAFEHOLD_UNIX_SOURCES
  unix/clock.c
  unix/error.c
  unix/lock_calls.c
  unix/lock_file.c
  unix/plan.c
  unix/poll_wait.c
  unix/spawn.c
  unix/stream.c
)
set(SAFEHOLD_LINUX_SOURCES
  unix/child.c
  unix/describe_locale.c
  unix/pipe_pipe2.c
  unix/quiet_write.c
  unix/linux/cancel_eventfd.c
  unix/linux/exit_pidfd.c
  unix/linux/holders_proc.c
  unix/linux/kernel.c
  unix/linux/launch.c
  unix/linux/launch_clone.c
  unix/linux/launch_fork.c
  unix/linux/lock_ofd_flock.c
  unix/linux/lock_wait.c
  unix/linux/pipe_size.c
  unix/linux/proc_stat.c
  unix/linux/shared_stack.c
  unix/linux/tree_group.c
  unix/linux/wait_clone.c
)
# Files of unix/bsd are for both of these.
set(SAFEHOLD_MACOS_SOURCES
  unix/bsd/cancel_pipe.c
  unix/bsd/exit_status.c
  unix/bsd/lock_wait.c
  unix/bsd/own_locks.c
  unix/bsd/pipe_size.c
  unix/bsd/tree_group.c
  unix/macos/describe.c
  unix/macos/exit_kqueue.c
  unix/macos/group_members.c
  unix/macos/helper.c
  unix/macos/holders_openers.c
  unix/macos/launch_spawn.c
  unix/macos/lock_ofd_flock.c
  unix/macos/pipe_fcntl.c
  unix/macos/quiet_write.c
  unix/macos/wait_thread.c
)
set(SAFEHOLD_FREEBSD_SOURCES
  unix/child.c
  unix/describe_locale.c
  unix/pipe_pipe2.c
  unix/quiet_write.c
  unix/bsd/cancel_pipe.c
  unix/bsd/exit_status.c
  unix/bsd/lock_wait.c
  unix/bsd/own_locks.c
  unix/bsd/pipe_size.c
  unix/bsd/tree_group.c
  unix/freebsd/exit_procdesc.c
  unix/freebsd/findings.c
  unix/freebsd/group_members.c
  unix/freebsd/holders_lockf.c
  unix/freebsd/launch_pdfork.c
  unix/freebsd/lock_flock.c
  unix/freebsd/procdesc.c
  unix/freebsd/wait_pdfork.c
)

set(SAFEHOLD_WIN_SOURCES
  win/cancel_event.c
  win/clock.c
  win/command_line.c
  win/environment.c
  win/error.c
  win/exit.c
  win/file_id.c
  win/holders_openers.c
  win/inherit.c
  win/launch.c
  win/lock_calls.c
  win/lock_far.c
  win/lock_file.c
  win/own_locks.c
  win/path.c
  win/pipe.c
  win/program.c
  win/spawn.c
  win/stream.c
  win/task.c
  win/tree_job.c
  win/utf.c
  win/wait.c
  win/wait_overlapped.c
  win/wait_selftest.c
)

# Files named above whose code runs in a clone'd helper on the caller's memory. They are compiled without stack
# protector and sanitizers: both reach for thread-local or shadow state that belongs to the thread that waits.
set(SAFEHOLD_RAW_SOURCES
  unix/child.c
  unix/linux/kernel.c
  unix/linux/wait_clone.c
)
