/* SPDX-License-Identifier: MIT */
/*
 * uv.spawn.idle10000: a child from the loop of a server that holds 10,000 idle connections; raw is the same from a
 * server that holds none. Each is a process of its own, as are the clients, and they take turns.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "safehold.h"
#include "uv_spawn_one.h"

#define IDLE 10000
#define BATCH 20

/* What a server is asked for: a batch of children, or its end, which is the end of the socket. */
struct order {
  bool ours, piped;
};

static uv_tcp_t connections[IDLE];
static int accepted;

static void give_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
  static char room[64];

  (void)handle, (void)suggested;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void ignore(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
  (void)stream, (void)buffer;
  bench_need(length >= 0, "an idle connection");
}

static void accept_one(uv_stream_t *listener, int status) {
  uv_tcp_t *connection = &connections[accepted];

  bench_need(status == 0 && accepted < IDLE, "uv_listen");
  bench_need(uv_tcp_init(listener->loop, connection) == 0, "uv_tcp_init");
  bench_need(uv_accept(listener, (uv_stream_t *)connection) == 0, "uv_accept");
  bench_need(uv_read_start((uv_stream_t *)connection, give_room, ignore) == 0, "uv_read_start");
  accepted++;
}

static int listen_on(uv_loop_t *loop, uv_tcp_t *listener) {
  struct sockaddr_in address = {0};
  int length = sizeof(address);

  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  bench_need(uv_tcp_init(loop, listener) == 0, "uv_tcp_init");
  bench_need(uv_tcp_bind(listener, (struct sockaddr *)&address, 0) == 0, "uv_tcp_bind");
  bench_need(uv_listen((uv_stream_t *)listener, 1024, accept_one) == 0, "uv_listen");
  bench_need(uv_tcp_getsockname(listener, (struct sockaddr *)&address, &length) == 0, "uv_tcp_getsockname");
  return ntohs(address.sin_port);
}

/* The clients: a process that has the other ends, and ends with the server. */
static void hold_connections(int port) {
  struct sockaddr_in address = {0};
  int at;

  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)port);
  for (at = 0; at < IDLE; at++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    bench_need(fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "connect");
  }
  pause();
}

static pid_t start_clients(int port, int orders) {
  pid_t clients = fork();

  bench_need(clients >= 0, "fork");
  if (clients > 0) return clients;
  close(orders);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  hold_connections(port);
  _exit(0);
}

/* The median, as now and then one waits for the processor that others have. */
static double batch(uv_loop_t *loop, const char *child, const struct order *order) {
  struct samples costs = {0};
  double median;
  int at;

  for (at = 0; at < BATCH; at++) samples_add(&costs, uv_spawn_one(loop, child, order->ours, order->piped, NULL));
  median = samples_median(&costs);
  samples_free(&costs);
  return median;
}

static void serve_orders(uv_loop_t *loop, const char *child, int orders) {
  struct order order;
  double cost = 0;

  bench_need(write(orders, &cost, sizeof(cost)) == sizeof(cost), "a report");
  while (read(orders, &order, sizeof(order)) == sizeof(order)) {
    cost = batch(loop, child, &order);
    bench_need(write(orders, &cost, sizeof(cost)) == sizeof(cost), "a report");
  }
}

static void serve(const char *child, bool full, int orders) {
  uv_tcp_t listener;
  pid_t clients = 0;
  uv_loop_t loop;
  int port;

  bench_need(uv_loop_init(&loop) == 0, "uv_loop_init");
  port = listen_on(&loop, &listener);
  bench_need(safe_reserve_descriptors(32) > 0, "safe_reserve_descriptors");
  if (full) clients = start_clients(port, orders);
  while (full && accepted < IDLE) uv_run(&loop, UV_RUN_ONCE);
  serve_orders(&loop, child, orders);
  if (!full) return;
  kill(clients, SIGKILL);
  waitpid(clients, NULL, 0);
}

struct server {
  int orders;
  pid_t process;
};

static struct server start_server(const char *child, bool full, const struct server *other) {
  struct server server;
  int ends[2];
  double ready;

  bench_need(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
  server.process = fork();
  bench_need(server.process >= 0, "fork");
  if (server.process == 0) {
    close(ends[0]);
    if (other != NULL) close(other->orders);
    serve(child, full, ends[1]);
    _exit(0);
  }
  close(ends[1]);
  server.orders = ends[0];
  bench_need(read(server.orders, &ready, sizeof(ready)) == sizeof(ready), "a server that is ready");
  return server;
}

static double ask(const struct server *server, bool ours, bool piped) {
  struct order order = {ours, piped};
  double cost;

  bench_need(write(server->orders, &order, sizeof(order)) == sizeof(order), "an order");
  bench_need(read(server->orders, &cost, sizeof(cost)) == sizeof(cost), "a server");
  return cost;
}

static void end_server(const struct server *server) {
  close(server->orders);
  waitpid(server->process, NULL, 0);
}

static void compare(const struct server *full, const struct server *idle, bool piped) {
  struct samples ours = {0}, raw = {0}, libuv_full = {0}, libuv_idle = {0};
  char extra[96];
  int round;

  for (round = 0; round < bench_rounds(100); round++) {
    samples_add(&ours, ask(full, true, piped));
    samples_add(&raw, ask(idle, true, piped));
    samples_add(&libuv_full, ask(full, false, piped));
    samples_add(&libuv_idle, ask(idle, false, piped));
  }
  snprintf(extra, sizeof(extra), "uv_spawn=%.4g\tuv_spawn_idle=%.4g", samples_median(&libuv_full) / 1000,
           samples_median(&libuv_idle) / 1000);
  samples_free(&libuv_full);
  samples_free(&libuv_idle);
  bench_report(piped ? "uv.spawn.idle10000.pipe" : "uv.spawn.idle10000", "us", 1000, &ours, &raw, extra);
}

void bench_uv_idle(const char *child) {
  struct server full, idle;
  struct rlimit limit;

  if (!bench_wanted("uv.spawn.idle10000")) return;
  bench_need(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max < IDLE + 200) {
    fprintf(stderr, "uv.spawn.idle10000: left out, only %llu descriptors may be open\n",
            (unsigned long long)limit.rlim_max);
    return;
  }
  idle = start_server(child, false, NULL);
  full = start_server(child, true, &idle);
  compare(&full, &idle, false);
  compare(&full, &idle, true);
  end_server(&full);
  end_server(&idle);
}
