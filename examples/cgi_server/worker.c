/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connection.h"
#include "http_date.h"
#include "log.h"
#include "script.h"
#include "server.h"

const char *worker_date(struct worker *worker) {
  struct timespec now;

  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  if (now.tv_sec != worker->date_second) {
    worker->date_second = now.tv_sec;
    http_date_write(worker->date, now.tv_sec);
  }
  return worker->date;
}

static struct connection *next_todo(struct worker *worker) {
  struct connection *connection = TAILQ_FIRST(&worker->todo);

  if (connection == NULL) return NULL;
  TAILQ_REMOVE(&worker->todo, connection, todo_link);
  connection->todo = false;
  return connection;
}

/* What the callbacks of this turn have written goes out together; what they have made possible begins. */
static void attend(struct worker *worker) {
  struct connection *connection;

  do {
    while ((connection = next_todo(worker)) != NULL) connection_attend(connection);
    if (worker->grants) {
      worker->grants = false;
      job_queue_attend(&worker->server->queue, worker);
    }
  } while (worker->grants || !TAILQ_EMPTY(&worker->todo));
}

static void on_prepare(uv_prepare_t *prepare) { attend(prepare->data); }

static void stop_scripts(struct worker *worker) {
  struct script *script, *next;

  for (script = TAILQ_FIRST(&worker->scripts); script != NULL; script = next) {
    next = TAILQ_NEXT(script, link);
    script_stop(script, "the server ends");
  }
}

static void on_deadline(uv_timer_t *timer) { worker_stop(timer->data, 2); }

static void begin_stop(struct worker *worker) {
  struct connection *connection;

  uv_close((uv_handle_t *)&worker->listener, NULL);
  TAILQ_FOREACH(connection, &worker->connections, link) {
    if (connection->phase == PHASE_IDLE || connection->phase == PHASE_HEAD) connection_linger(connection);
    connection_todo(connection);
  }
  uv_timer_start(&worker->deadline, on_deadline, (uint64_t)worker->server->options.shutdown_ms, 0);
  uv_unref((uv_handle_t *)&worker->deadline);
  uv_unref((uv_handle_t *)&worker->wake);
}

static void end_at_once(struct worker *worker) {
  struct connection *connection, *next;

  for (connection = TAILQ_FIRST(&worker->connections); connection != NULL; connection = next) {
    next = TAILQ_NEXT(connection, link);
    connection_close(connection);
  }
  stop_scripts(worker);
}

static void on_wake(uv_async_t *wake) {
  struct worker *worker = wake->data;
  int stopping = atomic_load(&worker->stopping);

  job_queue_attend(&worker->server->queue, worker);
  if (stopping == worker->stop_seen) return;
  if (worker->stop_seen == 0) {
    worker->stop_seen = 1;
    begin_stop(worker);
  }
  if (stopping == 2) {
    worker->stop_seen = 2;
    end_at_once(worker);
  }
}

void worker_stop(struct worker *worker, int how) {
  atomic_store(&worker->stopping, how);
  uv_async_send(&worker->wake);
}

/* Each loop has a socket of its own for the one port, and the kernel divides the clients among them. But a second
   server would get its part, too: so the first loop takes the port for itself alone for a moment. */
static int claim_port(struct sockaddr *address) {
  bool v6 = address->sa_family == AF_INET6;
  int yes = 1, code = 0, file = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (file < 0) return uv_translate_sys_error(errno);
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  if (bind(file, address, v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) != 0)
    code = uv_translate_sys_error(errno);
  close(file);
  return code;
}

static int share_port(struct worker *worker, struct sockaddr *address) {
  int yes = 1, code;
  uv_os_fd_t socket;

  if (worker->server->options.threads == 1) return 0;
  if (worker == worker->server->workers && (code = claim_port(address)) != 0) return code;
  if ((code = uv_fileno((uv_handle_t *)&worker->listener, &socket)) != 0) return code;
  return setsockopt(socket, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)) != 0 ? uv_translate_sys_error(errno) : 0;
}

static int listen_at(struct worker *worker, int *port) {
  const char *host = worker->server->options.host;
  struct sockaddr_storage address;
  int size = sizeof(address);
  int code = uv_ip4_addr(host, *port, (struct sockaddr_in *)&address);

  if (code != 0) code = uv_ip6_addr(host, *port, (struct sockaddr_in6 *)&address);
  if (code != 0) return code;
  if ((code = uv_tcp_init_ex(&worker->loop, &worker->listener, address.ss_family)) != 0) return code;
  worker->listener.data = worker;
  if ((code = share_port(worker, (struct sockaddr *)&address)) != 0) return code;
  if ((code = uv_tcp_bind(&worker->listener, (struct sockaddr *)&address, 0)) != 0) return code;
  if ((code = uv_listen((uv_stream_t *)&worker->listener, 1024, connection_accept)) != 0) return code;
  if ((code = uv_tcp_getsockname(&worker->listener, (struct sockaddr *)&address, &size)) != 0) return code;
  *port = ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                             : ((struct sockaddr_in6 *)&address)->sin6_port);
  return 0;
}

int worker_open(struct worker *worker, struct server *server, int *port) {
  int code;

  worker->server = server;
  TAILQ_INIT(&worker->connections);
  TAILQ_INIT(&worker->todo);
  TAILQ_INIT(&worker->scripts);
  pthread_mutex_init(&worker->script_lock, NULL);
  if ((code = uv_loop_init(&worker->loop)) != 0) return code;
  worker->prepare.data = worker->wake.data = worker->deadline.data = worker;
  if ((code = uv_async_init(&worker->loop, &worker->wake, on_wake)) != 0) return code;
  uv_prepare_init(&worker->loop, &worker->prepare);
  uv_prepare_start(&worker->prepare, on_prepare);
  uv_unref((uv_handle_t *)&worker->prepare);
  uv_timer_init(&worker->loop, &worker->deadline);
  return listen_at(worker, port);
}

/* A client that came in the last turn is still to be attended to: nothing of it is active yet, and the loop would end.
 */
void worker_run(struct worker *worker) {
  do {
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    attend(worker);
  } while (uv_loop_alive(&worker->loop));
}

void worker_close(struct worker *worker) {
  uv_close((uv_handle_t *)&worker->wake, NULL);
  uv_close((uv_handle_t *)&worker->prepare, NULL);
  uv_close((uv_handle_t *)&worker->deadline, NULL);
  uv_run(&worker->loop, UV_RUN_DEFAULT);
  uv_loop_close(&worker->loop);
  pthread_mutex_destroy(&worker->script_lock);
}
