/* SPDX-License-Identifier: MIT */
/* safe_spawn and safe_process_wait on every system. */
#include "support.h"

static safe_spawn_options of_helper(const char *const *argv) {
  safe_spawn_options options = SAFE_SPAWN_OPTIONS_INIT;

  options.file = helper_path();
  options.argv = argv;
  options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_NULL;
  return options;
}

static safe_exit end_of(safe_process *process) {
  safe_wait_options options = SAFE_WAIT_OPTIONS_INIT;
  safe_exit status = SAFE_EXIT_INIT;
  safe_error error = SAFE_ERROR_INIT;

  options.timeout_ms = 20000;
  assert_code(safe_process_wait(process, &options, &status, &error), SAFE_OK);
  return status;
}

static void exit_codes_arrive(void **state) {
  static const int codes[] = {0, 1, 3, 255};
  char number[16];
  size_t at;

  (void)state;
  for (at = 0; at < sizeof(codes) / sizeof(codes[0]); at++) {
    const char *const argv[] = {"helper", "exit", number, NULL};
    safe_spawn_options options = of_helper(argv);
    safe_process *process;
    safe_exit status;

    snprintf(number, sizeof(number), "%d", codes[at]);
    assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
    assert_true(safe_process_pid(process) > 0);
    status = end_of(process);
    assert_int_equal(status.kind, SAFE_EXIT_CODE);
    assert_int_equal(status.code, codes[at]);
    status = end_of(process); /* again, after its end */
    assert_int_equal(status.code, codes[at]);
    safe_process_free(process);
  }
}

static void a_wait_ends_at_its_deadline_and_can_go_on(void **state) {
  const char *const argv[] = {"helper", "sleep", "500", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_wait_options wait = SAFE_WAIT_OPTIONS_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  safe_cancel *cancel;

  (void)state;
  assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
  wait.timeout_ms = SAFE_NO_WAIT;
  assert_code(safe_process_wait(process, &wait, NULL, &error), SAFE_ETIMEDOUT);
  wait.timeout_ms = 30;
  assert_code(safe_process_wait(process, &wait, NULL, &error), SAFE_ETIMEDOUT);
  assert_int_equal(error.stage, SAFE_STAGE_WAIT);
  assert_code(safe_cancel_create(&cancel), SAFE_OK);
  safe_cancel_trigger(cancel);
  wait.cancel = cancel;
  wait.timeout_ms = 60000;
  assert_code(safe_process_wait(process, &wait, NULL, &error), SAFE_ECANCELED);
  assert_int_equal(end_of(process).code, 0);
  safe_cancel_free(cancel);
  safe_process_free(process);
}

static void arguments_arrive_as_they_are(void **state) {
  char *text = helper_says(NULL, "args", "", "two words", "a\"b", "back\\slash\\", "\\\\\"", "%PATH%", "$HOME", "*",
                           "tab\there", "caret^&|<>", NULL);

  (void)state;
  assert_string_equal(text, "[]\n[two words]\n[a\"b]\n[back\\slash\\]\n[\\\\\"]\n[%PATH%]\n[$HOME]\n[*]\n[tab\there]\n"
                            "[caret^&|<>]\n");
  free(text);
}

/* To be freed with free(), which safe_output_free is too. */
static char *output_of(const safe_spawn_options *from) {
  safe_spawn_options options = *from;
  safe_output output = SAFE_OUTPUT_INIT;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  options.out.kind = SAFE_STDIO_PIPE;
  if (spawn_surely(&process, &options, &error) != SAFE_OK) fail_msg("%s", error.message);
  assert_code(safe_process_communicate(process, NULL, &output, &error), SAFE_OK);
  safe_process_free(process);
  free(output.err);
  return output.out;
}

static void the_environment_is_the_given_one(void **state) {
  const char *const argv[] = {"helper", "env", "SAFEHOLD_WORD", NULL};
  const char *const env[] = {"SAFEHOLD_WORD=given", "PATH=/nowhere", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;

  (void)state;
  text = output_of(&options);
  assert_string_equal(text, "unset\n");
  free(text);
  options.env = env;
  text = output_of(&options);
  assert_string_equal(text, "[given]\n");
  free(text);
}

static void the_folder_is_the_given_one(void **state) {
  const char *const argv[] = {"helper", "cwd", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;

  (void)state;
  make_folder("elsewhere");
  options.cwd = "elsewhere";
  text = output_of(&options);
  assert_non_null(strstr(text, "elsewhere"));
  free(text);
}

static void both_outputs_into_one(void **state) {
  const char *const argv[] = {"helper", "both", "1000", NULL};
  safe_spawn_options options = of_helper(argv);
  char *text;

  (void)state;
  options.err.kind = SAFE_STDIO_TO_OUT;
  text = output_of(&options);
  assert_int_equal(strlen(text), 2000);
  free(text);
}

static void programs_that_cannot_be_started_are_named(void **state) {
  const char *const argv[] = {"helper", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process = (safe_process *)1;

  (void)state;
  options.file = "no/such/program";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_null(process);
  assert_non_null(strstr(error.message, "no/such/program"));
  assert_true(error.stage == SAFE_STAGE_EXEC || error.stage == SAFE_STAGE_SEARCH);
  options.file = "surely-not-on-the-path";
  assert_code(safe_spawn(&process, &options, &error), SAFE_ENOENT);
  assert_non_null(strstr(error.message, "surely-not-on-the-path"));
  make_file("plain", "not a program");
  options.file = "./plain";
  assert_true(safe_spawn(&process, &options, &error) < 0);
  assert_int_equal(error.stage, SAFE_STAGE_EXEC);
  assert_true(error.os_code != 0);
  options = of_helper(argv);
  options.cwd = "no-such-folder";
  assert_true(safe_spawn(&process, &options, &error) < 0);
  assert_null(process);
}

static void bad_arguments_are_named(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  const char *const none[] = {NULL};
  const char *const empty[] = {"", NULL};
  const char *const no_value[] = {"GOOD=1", "BAD", NULL};
  const safe_child_handle handle = {SAFE_INVALID_HANDLE, 5};
  safe_spawn_options options;
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;

  (void)state;
  options = of_helper(argv);
  assert_code(safe_spawn(NULL, &options, &error), SAFE_EINVAL);
  assert_code(safe_spawn(&process, NULL, &error), SAFE_EINVAL);
  options = of_helper(NULL);
  options.file = NULL;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options.argv = none;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options.argv = empty;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.shell = "exit 0";
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.flags = 1u << 31;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.timeout_ms = -5;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.group = 7;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.in.kind = SAFE_STDIO_TO_OUT;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 0);
  options = of_helper(argv);
  options.out.kind = SAFE_STDIO_HANDLE;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EBADF);
  assert_int_equal(error.index, 1);
  options = of_helper(argv);
  options.env = no_value;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  assert_int_equal(error.index, 1);
  options = of_helper(argv);
  options.cwd = "";
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options = of_helper(argv);
  options.handle_count = 1;
  assert_code(safe_spawn(&process, &options, &error), SAFE_EINVAL);
  options.handles = &handle;
  assert_true(safe_spawn(&process, &options, &error) < 0);
  assert_null(process);
}

/* A list without its NULL, and a string without its NUL: refused at a bound instead of read to the end of memory. */
static void unending_lists_are_refused(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_error error = SAFE_ERROR_INIT;
  safe_process *process;
  const char *one[2] = {NULL, NULL};
  const char **many;
  char *large;
  int at;

  (void)state;
  many = malloc(65600 * sizeof(*many));
  assert_non_null(many);
  for (at = 0; at < 65600; at++) many[at] = "A=1";
  options.env = many;
  assert_code(safe_spawn(&process, &options, &error), SAFE_E2BIG);
  assert_int_equal(error.index, 65536);
  free(many);
  large = malloc(200000);
  assert_non_null(large);
  memset(large, 'A', 200000);
  large[1] = '=';
  one[0] = large;
  options.env = one;
  assert_code(safe_spawn(&process, &options, &error), SAFE_E2BIG);
  assert_int_equal(error.index, 0);
  free(large);
}

static void null_and_freed_objects_are_harmless(void **state) {
  safe_error error = SAFE_ERROR_INIT;

  (void)state;
  safe_process_free(NULL);
  assert_code(safe_process_wait(NULL, NULL, NULL, &error), SAFE_EINVAL);
  assert_code(safe_process_stop(NULL, NULL, NULL, &error), SAFE_EINVAL);
  assert_code(safe_process_communicate(NULL, NULL, NULL, &error), SAFE_EINVAL);
  assert_true(safe_process_take_pipe(NULL, 0) == SAFE_INVALID_HANDLE);
  assert_true(safe_process_exit_handle(NULL) == SAFE_INVALID_HANDLE);
  assert_int_equal(safe_process_pid(NULL), SAFE_EINVAL);
}

static void a_running_child_that_is_let_go_of_is_collected_later(void **state) {
  const char *const argv[] = {"helper", "sleep", "200", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  int before = count_handles();

  (void)state;
  assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
  safe_process_free(process);
  assert_code(safe_shutdown(20000), SAFE_OK);
  assert_int_equal(safe_parked_count(), 0);
  assert_int_equal(count_handles(), before);
}

static void nothing_is_left_behind(void **state) {
  const char *const argv[] = {"helper", "exit", "0", NULL};
  safe_spawn_options options = of_helper(argv);
  safe_process *process;
  int before = 0, round;

  (void)state;
  for (round = 0; round < 6; round++) {
    if (round == 2) before = count_handles();
    options.in.kind = options.out.kind = options.err.kind = SAFE_STDIO_PIPE;
    options.file = helper_path();
    assert_code(spawn_surely(&process, &options, NULL), SAFE_OK);
    end_of(process);
    safe_process_free(process);
    options.file = "no/such/program";
    assert_true(safe_spawn(&process, &options, NULL) < 0);
  }
  assert_int_equal(count_handles(), before);
  assert_int_equal(safe_parked_count(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(exit_codes_arrive),
    cmocka_unit_test(a_wait_ends_at_its_deadline_and_can_go_on),
    cmocka_unit_test(arguments_arrive_as_they_are),
    cmocka_unit_test(the_environment_is_the_given_one),
    cmocka_unit_test(the_folder_is_the_given_one),
    cmocka_unit_test(both_outputs_into_one),
    cmocka_unit_test(programs_that_cannot_be_started_are_named),
    cmocka_unit_test(bad_arguments_are_named),
    cmocka_unit_test(unending_lists_are_refused),
    cmocka_unit_test(null_and_freed_objects_are_harmless),
    cmocka_unit_test(a_running_child_that_is_let_go_of_is_collected_later),
    cmocka_unit_test(nothing_is_left_behind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
