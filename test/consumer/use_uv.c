/* SPDX-License-Identifier: MIT */
#include <safehold/uv.h>

#include <string.h>

static int status = 1;

static void on_lock(safe_uv_lock *request, int result, safe_lock *lock, const safe_error *error) {
  (void)request, (void)error;
  status = result == 0 && safe_unlock(lock) == SAFE_OK ? 0 : 1;
}

/* Exits with 0 when the package's own version (the argument) is the library's, and a loop has got a lock. */
int main(int argc, char **argv) {
  safe_uv_lock request;

  if (argc != 2 || strcmp(argv[1], safe_version()) != 0) return 1;
  if (safe_uv_lock_file(uv_default_loop(), &request, "use_uv.lock", NULL, on_lock, NULL) != 0) return 1;
  uv_run(uv_default_loop(), UV_RUN_DEFAULT);
  return uv_loop_close(uv_default_loop()) == 0 ? status : 1;
}
