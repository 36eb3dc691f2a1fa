/* SPDX-License-Identifier: MIT */
#include "pty.h"

#include "task.h"

/* Closing may take as long as the reader of the output does (before Windows 11 24H2), so it is done by a task. */
#define PROMPT_MS 100

typedef HRESULT(WINAPI *create_function)(COORD size, HANDLE input, HANDLE output, DWORD flags, void **console);
typedef HRESULT(WINAPI *resize_function)(void *console, COORD size);
typedef void(WINAPI *close_function)(void *console);

struct safe__win_pty {
  struct safe__win_task task;
  SRWLOCK guard; /* safe_process_stop may hang up while another thread resizes */
  bool begun;    /* to close: the console is the task's */
  void *console;
  HANDLE input;
};

static create_function find_create(void) {
  return (create_function)safe__win_find(L"kernel32.dll", "CreatePseudoConsole");
}

bool safe__win_pty_exists(void) { return find_create() != NULL; }

static COORD size_of(int columns, int rows) {
  COORD size;

  size.X = (SHORT)columns;
  size.Y = (SHORT)rows;
  return size;
}

/* An HRESULT that wraps an error of the system has it in its lower half. */
static DWORD unwrap(HRESULT result) {
  return HRESULT_FACILITY(result) == FACILITY_WIN32 ? HRESULT_CODE(result) : (DWORD)result;
}

static void run(struct safe__win_task *task) {
  struct safe__win_pty *pty = (struct safe__win_pty *)task;
  close_function finish = (close_function)safe__win_find(L"kernel32.dll", "ClosePseudoConsole");

  if (finish != NULL) finish(pty->console);
  safe__win_task_deliver(task);
}

static void free_task(struct safe__win_task *task) { safe__free(task); }

int safe__win_pty_make(int columns, int rows, HANDLE input, HANDLE output, struct safe__win_pty **out,
                       safe_error *error) {
  struct safe__win_pty *pty = safe__alloc(sizeof(*pty));
  create_function make = find_create();
  HRESULT result;

  if (pty == NULL) return safe__fail_memory(error, SAFE_STAGE_TERMINAL);
  result = make != NULL ? make(size_of(columns, rows), input, output, 0, &pty->console) : E_NOTIMPL;
  if (FAILED(result)) {
    safe__free(pty);
    return safe__fail_os(error, unwrap(result), SAFE_STAGE_TERMINAL, -1, "No pseudo-console could be made");
  }
  pty->task.run = run;
  pty->task.free = free_task;
  InitializeSRWLock(&pty->guard);
  *out = pty;
  return SAFE_OK;
}

void safe__win_pty_keep(struct safe__win_pty *pty, HANDLE *input) {
  pty->input = *input;
  *input = NULL;
}

void *safe__win_pty_console(const struct safe__win_pty *pty) { return pty->console; }

int safe__win_pty_resize(struct safe__win_pty *pty, int columns, int rows) {
  resize_function resize = (resize_function)safe__win_find(L"kernel32.dll", "ResizePseudoConsole");
  HRESULT result = E_NOTIMPL;
  int code = SAFE_EPIPE; /* nobody is there any more who would want to know */

  AcquireSRWLockExclusive(&pty->guard);
  if (!pty->begun) {
    if (resize != NULL) result = resize(pty->console, size_of(columns, rows));
    code = result == E_NOTIMPL ? SAFE_ENOTSUP : SUCCEEDED(result) ? SAFE_OK : safe__os_translate(unwrap(result));
  }
  ReleaseSRWLockExclusive(&pty->guard);
  return code;
}

void safe__win_pty_hang_up(struct safe__win_pty *pty) {
  safe_error ignored;

  AcquireSRWLockExclusive(&pty->guard);
  safe__win_close(&pty->input);
  if (!pty->begun) pty->begun = safe__win_task_start(&pty->task, SAFE_STAGE_TERMINAL, &ignored) == SAFE_OK;
  ReleaseSRWLockExclusive(&pty->guard);
}

/* One for which there was no thread. */
static bool collect(struct safe__parked *item) {
  struct safe__win_pty *pty = (struct safe__win_pty *)item;

  safe__win_pty_hang_up(pty);
  if (!pty->begun || !safe__win_signalled(pty->task.thread)) return false;
  if (safe__win_task_wait(&pty->task, SAFE__NEVER, 0) == SAFE_OK) safe__free(pty);
  return true;
}

void safe__win_pty_free(struct safe__win_pty *pty) {
  if (pty == NULL) return;
  safe__win_pty_hang_up(pty);
  if (!pty->begun) {
    pty->task.parked.collect = collect;
    safe__park(&pty->task.parked);
  } else if (safe__win_task_wait(&pty->task, safe__deadline(PROMPT_MS), 0) == SAFE_OK) {
    safe__free(pty);
  }
}
