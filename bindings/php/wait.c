/* SPDX-License-Identifier: MIT */
#include "wait.h"

#include <math.h>
#include <time.h>

#ifndef PHP_WIN32
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
#endif
#ifdef __linux__
#include <sys/signalfd.h>
#endif

#if PHP_VERSION_ID >= 80200
#define LOAD(flag) zend_atomic_bool_load_ex(&(flag))
#define CLEAR(flag) zend_atomic_bool_store_ex(&(flag), false)
#else
#define LOAD(flag) (flag)
#define CLEAR(flag) ((flag) = 0)
#endif

/* A signal may come to another thread, and then ends no system call of this
 * one: so often its flag is looked at. */
#define HEARTBEAT_MS 1000

static double now(void) {
#ifdef PHP_WIN32
  return (double)GetTickCount64() / 1000;
#else
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
#endif
}

/* ---- max_execution_time. */

/* Seconds left on PHP's own clock where that counts CPU time only
   (zend_set_timeout_ex in Zend/zend_execute_API.c); negative: it does not run,
   or it counts waits itself, and EG(timed_out) tells of its end. */
static double cpu_time_left(void) {
#if defined(PHP_WIN32) || defined(ZEND_MAX_EXECUTION_TIMERS) || defined(__CYGWIN__) || \
  (defined(__aarch64__) && defined(__APPLE__))
  return -1;
#else
  struct itimerval timer;

  if (EG(timeout_seconds) <= 0 || getitimer(ITIMER_PROF, &timer) != 0) return -1;
  if (timer.it_value.tv_sec == 0 && timer.it_value.tv_usec == 0) return -1;
  return (double)timer.it_value.tv_sec + (double)timer.it_value.tv_usec / 1e6;
#endif
}

static void begin_counting(struct safehold_wait *wait) {
  double left = wait->unlimited ? -1 : cpu_time_left();

  wait->began = now();
  wait->until = wait->deadline;
  wait->until_execution = false;
  if (left < 0) return;
  left = left > SAFEHOLD_G(waited) ? left - SAFEHOLD_G(waited) : 0;
  if (wait->until >= 0 && wait->until <= wait->began + left) return;
  wait->until = wait->began + left;
  wait->until_execution = true;
}

static void end_counting(struct safehold_wait *wait) {
  if (!wait->unlimited) SAFEHOLD_G(waited) += now() - wait->began;
}

/* What shutdown functions may still use is the hard timeout, as after PHP's own
 * signal. */
ZEND_NORETURN static void raise_timeout(void) {
  double left = cpu_time_left();

  SAFEHOLD_G(waited) = EG(hard_timeout) > 0 && left > (double)EG(hard_timeout) ? left - (double)EG(hard_timeout) : 0;
  if (zend_on_timeout != NULL) zend_on_timeout((int)EG(timeout_seconds));
  zend_timeout();
}

static zend_ini_entry *time_limit(void) {
  return zend_hash_str_find_ptr(EG(ini_directives), "max_execution_time", sizeof("max_execution_time") - 1);
}

static ZEND_INI_MH((*set_time_limit));

static ZEND_INI_MH(set_time_limit_anew) {
  SAFEHOLD_G(waited) = 0;
  return set_time_limit(entry, new_value, mh_arg1, mh_arg2, mh_arg3, stage);
}

void safehold_wait_startup(void) {
  zend_ini_entry *entry = time_limit();

  if (entry == NULL || entry->on_modify == NULL) return;
  set_time_limit = entry->on_modify;
  entry->on_modify = set_time_limit_anew;
}

void safehold_wait_shutdown(void) {
  zend_ini_entry *entry = time_limit();

  if (entry != NULL && entry->on_modify == set_time_limit_anew) entry->on_modify = set_time_limit;
  safe_use_signal(0); /* lock_block.c */
}

/* ---- The wait. */

static void begin(struct safehold_wait *wait, double timeout, bool unlimited) {
  memset(wait, 0, sizeof(*wait));
  wait->deadline = timeout >= 0 ? now() + timeout : -1;
  wait->unlimited = unlimited;
  begin_counting(wait);
}

void safehold_wait_begin(struct safehold_wait *wait, double timeout) { begin(wait, timeout, false); }

void safehold_wait_begin_child(struct safehold_wait *wait) { begin(wait, SAFEHOLD_G(exec_timeout), true); }

static int64_t ms_until(double time) {
  double left = time - now();

  if (left <= 0) return 0;
  return left < 1e12 ? (int64_t)ceil(left * 1000) : SAFE_FOREVER;
}

int64_t safehold_wait_left_ms(const struct safehold_wait *wait) {
  return wait->until < 0 ? SAFE_FOREVER : ms_until(wait->until);
}

void safehold_wait_end(struct safehold_wait *wait) {
  end_counting(wait);
  if (wait->bailed_out) zend_bailout();
  if (wait->until_execution && safehold_wait_left_ms(wait) == 0) raise_timeout();
}

/* ---- Signals. */

/* No handler is run where no code runs, which is when the request ends, nor on top of an exception. */
static bool handler_is_due(void) {
  return LOAD(EG(vm_interrupt)) && EG(exception) == NULL && EG(current_execute_data) != NULL &&
         zend_interrupt_function != NULL;
}

static void run_handlers(struct safehold_wait *wait) {
  end_counting(wait);
  zend_try { zend_interrupt_function(EG(current_execute_data)); }
  zend_catch { wait->bailed_out = true; }
  zend_end_try();
  begin_counting(wait); /* the handler may have waited itself, or have set another limit */
}

/* As the engine does between two opcodes: the flag is cleared first, or a time-out that strikes just then would be seen
   by nobody until PHP's hard limit ends the process. */
bool safehold_wait_go_on(struct safehold_wait *wait) {
  bool due = handler_is_due();

  if (safehold_out_of_memory()) return false; /* and the interrupt is the engine's */
  if (due) CLEAR(EG(vm_interrupt));
  if (LOAD(EG(timed_out))) {
    wait->until_execution = true;
    wait->until = 0;
    return false;
  }
  if (!due) return true;
  run_handlers(wait);
  return !wait->bailed_out && EG(exception) == NULL;
}

static int64_t sleep_ms(const struct safehold_wait *wait) {
  int64_t left = safehold_wait_left_ms(wait);

  if (left < 0 || left > HEARTBEAT_MS) left = HEARTBEAT_MS;
  return wait->pause > 0 && ms_until(wait->pause) < left ? ms_until(wait->pause) : left;
}

/* What a sleep that did not end with the handle ready means; SAFE_OK: sleep again. */
static int look(struct safehold_wait *wait, bool stop_on_signal) {
  if (stop_on_signal && wait->interrupted) return SAFE_EINTR;
  if (!safehold_wait_go_on(wait)) return SAFE_EINTR;
  if (safehold_wait_left_ms(wait) == 0) return SAFE_ETIMEDOUT;
  return wait->pause > 0 && ms_until(wait->pause) == 0 ? SAFE_EAGAIN : SAFE_OK;
}

#ifdef PHP_WIN32

static bool sleep_once(struct safehold_wait *wait, safe_handle handle) {
  DWORD result = WaitForSingleObjectEx(handle, (DWORD)sleep_ms(wait), TRUE);

  if (result == WAIT_FAILED) Sleep(20); /* no handle: the caller looks again and again */
  return result == WAIT_OBJECT_0;
}

#elif defined(__linux__)

/* Whether one of the signals that are about to be handled would end a system call for good. pcntl_signal says so by its
   third argument, and for SIGALRM always did: programs put a limit on flock() so. */
static bool ends_system_calls(const sigset_t *open) {
  struct sigaction action;
  sigset_t pending;
  int number;

  if (sigpending(&pending) != 0) return false;
  for (number = 1; number < NSIG; number++)
    if (sigismember(&pending, number) == 1 && sigismember(open, number) == 1 && sigaction(number, NULL, &action) == 0 &&
        ((action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN)) &&
        (action.sa_flags & SA_RESTART) == 0)
      return true;
  return false;
}

/* All signals are blocked. A signalfd tells that there are some without taking them. */
static bool sleep_blocked(struct safehold_wait *wait, safe_handle handle, const sigset_t *open) {
  struct pollfd wanted[2] = {{handle, POLLIN, 0}, {signalfd(-1, open, SFD_CLOEXEC), POLLIN, 0}};
  int ready = poll(wanted, 2, (int)sleep_ms(wait));

  if (ready > 0 && wanted[1].revents != 0) wait->interrupted |= ends_system_calls(open);
  if (wanted[1].fd >= 0) close(wanted[1].fd);
  return ready > 0 && wanted[0].revents != 0;
}

/* What comes after the look at the flags and before poll stays pending, and ends poll at once; its handler runs where
   the mask is put back. */
static bool sleep_once(struct safehold_wait *wait, safe_handle handle) {
  sigset_t all, mask, open;
  bool ready = false;
  int number;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &mask);
  sigemptyset(&open);
  for (number = 1; number < NSIG; number++)
    if (sigismember(&mask, number) == 0) sigaddset(&open, number);
  if (!LOAD(EG(timed_out)) && !handler_is_due()) ready = sleep_blocked(wait, handle, &open);
  pthread_sigmask(SIG_SETMASK, &mask, NULL);
  return ready;
}

#else

/* A signal just before poll has its handler run at the next heartbeat. */
static bool sleep_once(struct safehold_wait *wait, safe_handle handle) {
  struct pollfd wanted = {handle, POLLIN, 0};

  return poll(&wanted, 1, (int)sleep_ms(wait)) > 0;
}

#endif

int safehold_wait_for(struct safehold_wait *wait, safe_handle handle, bool stop_on_signal) {
  int code = SAFE_OK;

  while (code == SAFE_OK && !sleep_once(wait, handle)) code = look(wait, stop_on_signal);
  return code;
}

int safehold_wait_a_while(struct safehold_wait *wait, safe_handle handle, bool stop_on_signal, int ms) {
  int code;

  wait->pause = now() + (double)ms / 1000;
  code = safehold_wait_for(wait, handle, stop_on_signal);
  wait->pause = 0;
  return code;
}
