/* SPDX-License-Identifier: MIT */
/* The file at a path, and who has it open. */
#include "holders_openers.h"

#include "file_id.h"
#include "look.h"
#include "task.h"

#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

struct search {
  struct safe__win_task task;
  wchar_t *path;
  DWORD error; /* or 0 */
  struct safe__file_id id;
  char name[256];
};

/* On a handle that may do nothing but ask: nobody is kept from the file by it. */
static void run(struct safe__win_task *task) {
  struct search *search = (struct search *)task;
  HANDLE file =
    CreateFileW(search->path, FILE_READ_ATTRIBUTES, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
  wchar_t *path = NULL;

  if (file == INVALID_HANDLE_VALUE) {
    search->error = GetLastError();
  } else {
    if (!safe__win_file_id(file, &search->id)) search->error = GetLastError();
    path = safe__win_path_of(file);
    safe__win_narrow(path != NULL ? path : search->path, search->name, sizeof(search->name));
    CloseHandle(file);
  }
  safe__free(path);
  safe__win_task_deliver(task);
}

static void free_search(struct safe__win_task *task) {
  struct search *search = (struct search *)task;

  safe__free(search->path);
  safe__free(search);
}

static int hand_over(struct safe__scene *scene, const struct search *search, int32_t *object, safe_error *error) {
  DWORD failure = search->task.failure != 0 ? search->task.failure : search->error;

  if (failure != 0) return safe__fail_os(error, failure, SAFE_STAGE_INSPECT, -1, "The file could not be looked at");
  *object = safe__scene_object(scene, SAFE__OBJECT_FILE, &search->id, search->name);
  return *object < 0 ? safe__fail_memory(error, SAFE_STAGE_INSPECT) : SAFE_OK;
}

/* The object's name may be a part of it only. */
static int keep_path(struct safe__scene *scene, const char *path, const struct safe__file_id *id) {
  struct safe__look *look = safe__win_look(scene);

  if (look == NULL) return SAFE_ENOMEM;
  safe__free(look->path);
  look->path = safe__copy_text(path);
  if (look->path == NULL) return SAFE_ENOMEM;
  look->id = *id;
  return SAFE_OK;
}

int safe__os_look_path(struct safe__scene *scene, const char *path, int64_t deadline, int32_t *object,
                       safe_error *error) {
  struct search *search = safe__alloc(sizeof(*search));
  int code;

  if (search == NULL) return safe__fail_memory(error, SAFE_STAGE_INSPECT);
  search->task.run = run;
  search->task.look = true;
  search->task.free = free_search;
  code = safe__win_path(path, &search->path);
  if (code != SAFE_OK) safe__win_path_failed(code, SAFE_STAGE_INSPECT, error);
  if (code == SAFE_OK) code = safe__win_task_start(&search->task, SAFE_STAGE_INSPECT, error);
  if (code == SAFE_OK) {
    if (safe__win_task_wait(&search->task, deadline, 0) != SAFE_OK)
      return safe__fail(error, SAFE_ESTUCK, SAFE_STAGE_INSPECT, -1, "The file system did not answer in time.");
    code = hand_over(scene, search, object, error);
    if (code == SAFE_OK && keep_path(scene, path, &search->id) != SAFE_OK)
      code = safe__fail_memory(error, SAFE_STAGE_INSPECT);
  }
  free_search(&search->task);
  return code;
}

static bool has_openers(const safe_holder_list *list) {
  size_t at;

  for (at = 0; at < list->count; at++)
    if (list->items[at].role == SAFE_HOLDER_OPENS) return true;
  return false;
}

void safe__os_look_object(struct safe__scene *scene, int32_t object, int64_t deadline) {
  struct safe__object *file = &scene->objects[object];
  const struct safe__look *look = scene->look;
  bool asked_for = look != NULL && look->path != NULL && safe__win_same_file(&look->id, &file->id);
  safe_error error;

  safe__error_clear(&error);
  file->examined = true;
  if (safe__win_find_holders(asked_for ? look->path : file->name, &file->id, deadline, &file->holders, &error) !=
      SAFE_OK)
    safe__scene_unknown(scene, "Who has %s open is not known: %s", file->name, error.message);
  else if (file->holders.unknown[0] != '\0')
    safe__scene_unknown(scene, "%s", file->holders.unknown);
  else if (has_openers(&file->holders)) /* who has it not open has no lock on it either */
    safe__scene_unknown(scene, "The system does not tell which of the processes that have a file open has it locked.");
}
