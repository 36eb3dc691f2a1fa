/* SPDX-License-Identifier: MIT */
/*
 * A threaded host: threads THREADS REQUESTS INI FOLDER. PHP is embedded, each thread serves requests that have a
 * working directory of their own, change the environment and start a child, then lock a file, count in it and start
 * another; the count must be right, and neither a child nor a descriptor left.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <sapi/embed/php_embed.h>

static const char request[] =
  "$folder = getenv('THREADS_FOLDER');"
  "$number = mt_rand();"
  "mkdir(\"$folder/$number\") && chdir(\"$folder/$number\");"
  /* PHP's own functions do not hold other threads off that change the environment. */
  "if (ini_get('safehold.replace') === 'all')"
  "  for ($at = 0; $at < 200; $at++) putenv(\"SET_$number=\" . str_repeat('x', 9999));"
  "$answer = shell_exec('echo $THREADS_FOLDER; pwd');"
  "if ($answer !== \"$folder\\n$folder/$number\\n\") throw new Exception('wrong answer');"
  "chdir($folder) && rmdir(\"$folder/$number\");"
  "$lock = $number % 2 === 0 ? new Safehold\\Lock(\"$folder/lock\", timeout: 60.0) : null;"
  "$stream = fopen(\"$folder/lock\", 'c');"
  "if ($lock === null && !flock($stream, LOCK_EX)) throw new Exception('no lock');"
  "$count = (int)@file_get_contents(\"$folder/count\");"
  "if (shell_exec(\"echo $number\") !== \"$number\\n\") throw new Exception('wrong answer');"
  "file_put_contents(\"$folder/count\", $count + 1);";

static int requests;
static atomic_int failures;

static void serve_one(void) {
  if (php_request_startup() != SUCCESS) {
    atomic_fetch_add(&failures, 1);
    return;
  }
  SG(headers_sent) = 1;
  SG(request_info).no_headers = 1;
  zend_first_try {
    if (zend_eval_string((char *)request, NULL, "request") != SUCCESS || EG(exception) != NULL)
      atomic_fetch_add(&failures, 1);
  }
  zend_catch { atomic_fetch_add(&failures, 1); }
  zend_end_try();
  php_request_shutdown(NULL);
}

static void *serve(void *nothing) {
  int at;

  (void)ts_resource(0);
  ZEND_TSRMLS_CACHE_UPDATE();
  for (at = 0; at < requests; at++) serve_one();
  ts_free_thread();
  return nothing;
}

static int count_descriptors(void) {
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;

  while (readdir(folder) != NULL) count++;
  closedir(folder);
  return count;
}

static int run(int threads) {
  pthread_t thread[64];
  int at;

  for (at = 0; at < threads; at++)
    if (pthread_create(&thread[at], NULL, serve, NULL) != 0) return 1;
  for (at = 0; at < threads; at++) pthread_join(thread[at], NULL);
  return 0;
}

static int counted(const char *folder) {
  char path[4096];
  int count = -1;
  FILE *file;

  snprintf(path, sizeof(path), "%s/count", folder);
  file = fopen(path, "r");
  if (file == NULL || fscanf(file, "%d", &count) != 1) count = -1;
  if (file != NULL) fclose(file);
  return count;
}

int main(int argc, char **argv) {
  int threads, before, after, count, left;

  if (argc != 5 || (threads = atoi(argv[1])) < 1 || threads > 64 || (requests = atoi(argv[2])) < 1) return 2;
  setenv("THREADS_FOLDER", argv[4], 1);
  php_embed_module.php_ini_path_override = argv[3];
  if (php_embed_init(1, argv) != SUCCESS) return 2;
  before = count_descriptors();
  if (run(threads) != 0) return 2;
  after = count_descriptors();
  left = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD ? 0 : 1;
  count = counted(argv[4]);
  php_embed_shutdown();
  printf("%d of %d requests counted, %d failed, %d descriptors before and %d after, children left: %d\n", count,
         threads * requests, atomic_load(&failures), before, after, left);
  return count == threads * requests && atomic_load(&failures) == 0 && before == after && left == 0 ? 0 : 1;
}
