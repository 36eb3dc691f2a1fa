/* SPDX-License-Identifier: MIT */
/* What a child gets through uv_stdio_container_t. */
#include "uv_loop.h"

#define BOTH_WAYS (UV_READABLE_PIPE | UV_WRITABLE_PIPE)
#define SLOTS 6

/* A child with pipes, and what comes out of them. */
struct talk {
  safe_uv_process process; /* first */
  uv_loop_t loop;
  uv_pipe_t pipes[SLOTS];
  uv_stdio_container_t stdio[SLOTS];
  int count, ended;
  safe_exit status;
  char text[256];
  size_t total; /* bytes that came */
  unsigned sum;
  uv_write_t write;
};

static void begin(struct talk *talk) {
  memset(talk, 0, sizeof(*talk));
  open_loop(&talk->loop);
}

static void slot(struct talk *talk, int flags, bool ipc) {
  uv_pipe_t *pipe = &talk->pipes[talk->count];

  assert_uv(uv_pipe_init(&talk->loop, pipe, ipc), 0);
  pipe->data = talk;
  talk->stdio[talk->count].flags = UV_CREATE_PIPE | flags;
  talk->stdio[talk->count++].data.stream = (uv_stream_t *)pipe;
}

static void ended(safe_uv_process *process, const safe_exit *status) {
  struct talk *talk = (struct talk *)process;

  talk->ended++;
  talk->status = *status;
  safe_uv_process_close(process, NULL);
}

static int try_to_start(struct talk *talk, const char *const *words, safe_error *error) {
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_spawn_options spawn = helper_options(words);

  spawn.file = SAFEHOLD_TEST_UV_CHILD;
  options.spawn = &spawn;
  options.stdio = talk->stdio;
  options.stdio_count = talk->count;
  options.exit_cb = ended;
  return safe_uv_spawn(&talk->loop, &talk->process, &options, error);
}

static void start(struct talk *talk, const char *const *words) {
  safe_error error = SAFE_ERROR_INIT;

  if (try_to_start(talk, words, &error) != 0) fail_msg("%s", error.message);
}

static void allocate(uv_handle_t *handle, size_t wish, uv_buf_t *buffer) {
  static char room[65536];

  (void)handle, (void)wish;
  *buffer = uv_buf_init(room, sizeof(room));
}

static void take(uv_stream_t *stream, ssize_t got, const uv_buf_t *buffer) {
  struct talk *talk = stream->data;
  ssize_t at;

  if (got < 0) {
    assert_uv((int)got, UV_EOF);
    uv_close((uv_handle_t *)stream, NULL);
    return;
  }
  for (at = 0; at < got; at++, talk->total++) {
    if (talk->total < sizeof(talk->text) - 1) talk->text[talk->total] = buffer->base[at];
    talk->sum = talk->sum * 31 + (unsigned char)buffer->base[at];
  }
}

static void listen_to(struct talk *talk, int index) {
  assert_uv(uv_read_start((uv_stream_t *)&talk->pipes[index], allocate, take), 0);
}

static void close_after_write(uv_write_t *request, int status) {
  assert_uv(status, 0);
  uv_close((uv_handle_t *)request->handle, NULL);
}

static void write_in(struct talk *talk, int index, char *bytes, size_t length) {
  uv_buf_t buffer = uv_buf_init(bytes, (unsigned)length);

  assert_uv(uv_write(&talk->write, (uv_stream_t *)&talk->pipes[index], &buffer, 1, close_after_write), 0);
}

/* Runs it to its end: the child exits with 0, and the loop is empty. */
static void end(struct talk *talk) {
  uv_run(&talk->loop, UV_RUN_DEFAULT);
  assert_int_equal(talk->ended, 1);
  assert_int_equal(talk->status.kind, SAFE_EXIT_CODE);
  assert_int_equal(talk->status.code, 0);
  close_loop(&talk->loop);
}

static void input_goes_in_and_output_comes_out(void **state) {
  const char *const words[] = {"child", "copy", "0", "1", NULL};
  size_t length = 1 << 20, at;
  char *bytes = malloc(length);
  struct talk talk;
  unsigned sum = 0;

  (void)state;
  assert_non_null(bytes);
  for (at = 0; at < length; at++) {
    bytes[at] = (char)(at * 7 + at / 251);
    sum = sum * 31 + (unsigned char)bytes[at];
  }
  begin(&talk);
  slot(&talk, UV_READABLE_PIPE, false);
  slot(&talk, UV_WRITABLE_PIPE, false);
  start(&talk, words);
  assert_true(uv_is_writable((uv_stream_t *)&talk.pipes[0]));
  assert_false(uv_is_readable((uv_stream_t *)&talk.pipes[0]) != 0 && !on_wine());
  assert_true(uv_is_readable((uv_stream_t *)&talk.pipes[1]));
  listen_to(&talk, 1);
  write_in(&talk, 0, bytes, length);
  end(&talk);
  assert_int_equal(talk.total, length);
  assert_int_equal(talk.sum, sum);
  free(bytes);
}

static void descriptors_beyond_the_standard_ones(void **state) {
  const char *const words[] = {"child", "copy", "4", "3", NULL};
  static char text[] = "through four and three";
  struct talk talk;
  int at;

  (void)state;
  begin(&talk);
  for (at = 0; at < 3; at++) talk.stdio[talk.count++].flags = UV_IGNORE;
  slot(&talk, UV_WRITABLE_PIPE, false);
  slot(&talk, UV_READABLE_PIPE, false);
  start(&talk, words);
  listen_to(&talk, 3);
  write_in(&talk, 4, text, strlen(text));
  end(&talk);
  assert_string_equal(talk.text, text);
}

static void one_pipe_may_go_both_ways(void **state) {
  const char *const words[] = {"child", "say", "3", "and back", NULL};
  struct talk talk;
  int at;

  (void)state;
  begin(&talk);
  for (at = 0; at < 3; at++) talk.stdio[talk.count++].flags = UV_IGNORE;
  slot(&talk, BOTH_WAYS, false);
  start(&talk, words);
  assert_true(uv_is_writable((uv_stream_t *)&talk.pipes[3]));
  listen_to(&talk, 3);
  end(&talk);
  assert_string_equal(talk.text, "and back");
}

static void what_is_left_out_is_the_null_device_or_nothing(void **state) {
  const char *const words[] = {"child", "kinds", "4", NULL};
  struct talk talk;

  (void)state;
  begin(&talk);
  talk.stdio[talk.count++].flags = UV_IGNORE;
  slot(&talk, UV_WRITABLE_PIPE, false);
  talk.stdio[talk.count++].flags = UV_IGNORE;
  talk.stdio[talk.count++].flags = UV_IGNORE;
  slot(&talk, UV_READABLE_PIPE, false);
  start(&talk, words);
  listen_to(&talk, 1);
  uv_close((uv_handle_t *)&talk.pipes[4], NULL);
  end(&talk);
  assert_non_null(strstr(talk.text, "1 pipe"));
  assert_non_null(strstr(talk.text, "3 unknown"));
  assert_non_null(strstr(talk.text, "4 pipe"));
}

static void descriptors_and_streams_of_the_host_are_inherited(void **state) {
  const char *const words[] = {"child", "copy", "0", "1", NULL};
  uv_pipe_t reader, writer;
  struct talk talk;
  uv_fs_t request;
  uv_file file, ends[2];

  (void)state;
  make_file("input", "from a file");
  file = uv_fs_open(NULL, &request, "input", UV_FS_O_RDONLY, 0, NULL);
  assert_true(file >= 0);
  begin(&talk);
  assert_uv(uv_pipe(ends, UV_NONBLOCK_PIPE, 0), 0);
  assert_uv(uv_pipe_init(&talk.loop, &reader, 0), 0);
  assert_uv(uv_pipe_init(&talk.loop, &writer, 0), 0);
  assert_uv(uv_pipe_open(&reader, ends[0]), 0);
  assert_uv(uv_pipe_open(&writer, ends[1]), 0);
  reader.data = &talk;
  talk.stdio[0].flags = UV_INHERIT_FD;
  talk.stdio[0].data.fd = file;
  talk.stdio[1].flags = UV_INHERIT_STREAM;
  talk.stdio[1].data.stream = (uv_stream_t *)&writer;
  talk.count = 2;
  start(&talk, words);
  assert_uv(uv_fs_close(NULL, &request, file, NULL), 0);
  uv_close((uv_handle_t *)&writer, NULL);
  assert_uv(uv_read_start((uv_stream_t *)&reader, allocate, take), 0);
  end(&talk);
  assert_string_equal(talk.text, "from a file");
}

/* What stdio does not say stays what the spawn options say. */
static void the_spawn_options_go_on_where_stdio_ends(void **state) {
  const char *const words[] = {"child", "copy", "0", "1", NULL};
  safe_uv_process_options options = SAFE_UV_PROCESS_OPTIONS_INIT;
  safe_spawn_options spawn = helper_options(words);
  struct talk talk;
  char *text;

  (void)state;
  make_file("source", "copied");
  begin(&talk);
  spawn.file = SAFEHOLD_TEST_UV_CHILD;
  spawn.in.kind = SAFE_STDIO_HANDLE; /* replaced */
  spawn.out.kind = SAFE_STDIO_PATH;
  spawn.out.path = "target";
  talk.stdio[0].flags = UV_INHERIT_FD;
  options.spawn = &spawn;
  options.stdio = talk.stdio;
  options.stdio_count = 1;
  options.exit_cb = ended;
  {
    uv_fs_t request;
    uv_file file = uv_fs_open(NULL, &request, "source", UV_FS_O_RDONLY, 0, NULL);

    talk.stdio[0].data.fd = file;
    assert_uv(safe_uv_spawn(&talk.loop, &talk.process, &options, NULL), 0);
    uv_fs_close(NULL, &request, file, NULL);
  }
  end(&talk);
  text = read_file("target");
  assert_string_equal(text, "copied");
  free(text);
}

struct passing {
  struct talk talk; /* first */
  uv_tcp_t server, client, accepted;
  uv_connect_t connect;
  uv_write_t write;
};

static void after_passing(uv_write_t *request, int status) {
  struct passing *passing = request->data;

  assert_uv(status, 0);
  uv_close((uv_handle_t *)&passing->accepted, NULL);
}

static void pass_it_on(uv_stream_t *server, int status) {
  static char dot[] = ".";
  struct passing *passing = server->data;
  uv_buf_t buffer = uv_buf_init(dot, 1);

  assert_uv(status, 0);
  assert_uv(uv_tcp_init(&passing->talk.loop, &passing->accepted), 0);
  assert_uv(uv_accept(server, (uv_stream_t *)&passing->accepted), 0);
  uv_close((uv_handle_t *)server, NULL);
  passing->write.data = passing;
  assert_uv(uv_write2(&passing->write, (uv_stream_t *)&passing->talk.pipes[3], &buffer, 1,
                      (uv_stream_t *)&passing->accepted, after_passing),
            0);
}

static void hear(uv_connect_t *request, int status) {
  assert_uv(status, 0);
  assert_uv(uv_read_start(request->handle, allocate, take), 0);
}

static void connect_through_the_loop(struct passing *passing) {
  struct sockaddr_in address;
  struct sockaddr_storage bound;
  int length = sizeof(bound);

  assert_uv(uv_ip4_addr("127.0.0.1", 0, &address), 0);
  assert_uv(uv_tcp_init(&passing->talk.loop, &passing->server), 0);
  assert_uv(uv_tcp_init(&passing->talk.loop, &passing->client), 0);
  passing->server.data = passing;
  passing->client.data = passing;
  assert_uv(uv_tcp_bind(&passing->server, (struct sockaddr *)&address, 0), 0);
  assert_uv(uv_listen((uv_stream_t *)&passing->server, 1, pass_it_on), 0);
  assert_uv(uv_tcp_getsockname(&passing->server, (struct sockaddr *)&bound, &length), 0);
  assert_uv(uv_tcp_connect(&passing->connect, &passing->client, (struct sockaddr *)&bound, hear), 0);
}

static void connections_can_be_passed_to_the_child(void **state) {
  const char *const words[] = {"child", "receive", "3", NULL};
  struct passing passing;
  int at;

  (void)state;
  begin(&passing.talk);
  for (at = 0; at < 3; at++) passing.talk.stdio[passing.talk.count++].flags = UV_IGNORE;
  slot(&passing.talk, BOTH_WAYS, true);
  start(&passing.talk, words);
  listen_to(&passing.talk, 3);
  connect_through_the_loop(&passing);
  end(&passing.talk);
  assert_string_equal(passing.talk.text, "from the child");
}

static void refused(struct talk *talk, int expected, int index) {
  const char *const words[] = {"child", "kinds", "0", NULL};
  safe_error error = SAFE_ERROR_INIT;
  int before = count_handles();

  assert_uv(try_to_start(talk, words, &error), expected);
  assert_int_equal(error.index, index);
  assert_true(error.message[0] != '\0');
  assert_int_equal(count_handles(), before);
}

static void what_is_wrong_is_named_by_its_place(void **state) {
  uv_loop_t other;
  uv_pipe_t foreign;
  uv_tcp_t tcp;
  uv_file ends[2];
  struct talk talk;

  (void)state;
  begin(&talk);
  open_loop(&other);
  talk.stdio[talk.count++].flags = UV_IGNORE;
  slot(&talk, 0, false); /* no direction */
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE | 0x4000;
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].flags = UV_CREATE_PIPE | UV_INHERIT_FD;
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].flags = UV_INHERIT_FD;
  talk.stdio[1].data.fd = -1;
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].data.fd = 10000;
  refused(&talk, UV_EBADF, 1);
  talk.stdio[1].flags = UV_INHERIT_STREAM;
  talk.stdio[1].data.stream = (uv_stream_t *)&talk.pipes[1]; /* not open */
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
  talk.stdio[1].data.stream = NULL;
  refused(&talk, UV_EINVAL, 1);
  uv_tcp_init(&talk.loop, &tcp);
  talk.stdio[1].data.stream = (uv_stream_t *)&tcp;
  refused(&talk, UV_EINVAL, 1);
  uv_pipe_init(&other, &foreign, 0);
  talk.stdio[1].data.stream = (uv_stream_t *)&foreign;
  refused(&talk, UV_EINVAL, 1);
  talk.stdio[1].data.stream = (uv_stream_t *)&talk.pipes[1];
  talk.stdio[2] = talk.stdio[1]; /* twice */
  talk.count = 3;
  refused(&talk, UV_EINVAL, 2);
  assert_uv(uv_pipe(ends, UV_NONBLOCK_PIPE, UV_NONBLOCK_PIPE), 0);
  assert_uv(uv_pipe_open(&talk.pipes[1], ends[0]), 0);
  talk.count = 2;
  refused(&talk, UV_EINVAL, 1); /* open already */
  uv_pipe_init(&talk.loop, &talk.pipes[2], 0);
  assert_uv(uv_pipe_open(&talk.pipes[2], ends[1]), 0);
  uv_close((uv_handle_t *)&talk.pipes[1], NULL);
  uv_close((uv_handle_t *)&talk.pipes[2], NULL);
  uv_close((uv_handle_t *)&tcp, NULL);
  uv_close((uv_handle_t *)&foreign, NULL);
  close_loop(&other);
  close_loop(&talk.loop);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(input_goes_in_and_output_comes_out),
    cmocka_unit_test(descriptors_beyond_the_standard_ones),
    cmocka_unit_test(one_pipe_may_go_both_ways),
    cmocka_unit_test(what_is_left_out_is_the_null_device_or_nothing),
    cmocka_unit_test(descriptors_and_streams_of_the_host_are_inherited),
    cmocka_unit_test(the_spawn_options_go_on_where_stdio_ends),
    cmocka_unit_test(connections_can_be_passed_to_the_child),
    cmocka_unit_test(what_is_wrong_is_named_by_its_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
