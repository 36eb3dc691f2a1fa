<?php
// SPDX-License-Identifier: MIT
// php compare.php --source=FOLDER --so=FILE --work=FOLDER --areas=A,B --jobs=N: runs PHP's own tests of these areas with
// the stock functions and with all of them replaced, and compares. Exit status 0: no test passes there that does not
// pass here, but for those that differences.txt names, which all must differ. tools/php_tests.sh calls it.

require __DIR__ . '/select.php';

const SIDES = ['stock' => false, 'replaced' => true];
const ATTEMPTS = 3;

/** Without it the tests of sessions do not run on a PHP whose distribution has compiled a folder in. */
const SETTINGS = ['session.save_path='];

function fail(string $message): never
{
    fwrite(STDERR, "php_tests: $message\n");
    exit(1);
}

function command(string ...$words): string
{
    return implode(' ', array_map('escapeshellarg', $words));
}

/** Runs a command; its output goes to the log. */
function run(string $folder, string $log, array $environment, string ...$words): void
{
    $output = [1 => ['file', $log, 'a'], 2 => ['file', $log, 'a'], 0 => ['file', '/dev/null', 'r']];
    proc_close(proc_open($words, $output, $pipes, $folder, $environment + getenv()));
}

final class Comparison
{
    private array $areas = [];   // area => tests
    private array $results = []; // side => test => result

    public function __construct(private array $options)
    {
        foreach (['source', 'so', 'work', 'areas', 'jobs', 'php', 'cgi', 'fpm'] as $name) {
            isset($options[$name]) || fail("--$name is missing");
        }
        foreach (explode(',', $options['areas']) as $area) {
            $this->areas[$area] = [];
        }
        foreach (select($options['source']) as [$area, $test]) {
            isset($this->areas[$area]) && $this->areas[$area][] = $test;
        }
        foreach ($this->areas as $area => $tests) {
            $tests !== [] || fail("there is no test for $area");
        }
    }

    /** What is said to be replaced has to be: else the same functions would be compared with themselves. */
    public function check_replacement(): void
    {
        foreach (['php' => '-i', 'cgi' => '-i'] as $program => $option) {
            exec(command($this->options[$program], '-n', ...$this->settings(true), ...[$option]) . ' 2>&1', $lines);
            $text = strip_tags(implode("\n", $lines));
            preg_match('/^Replaced functions(?: => | )(.*)$/m', $text, $found) || fail("no replacement in $program: $text");
            $names = explode(', ', trim($found[1]));
            $missing = array_diff(['flock', 'proc_open', 'exec', 'shell_exec', 'system', 'passthru', 'popen', 'session', 'cloexec'], $names);
            $missing === [] || fail("$program does not replace " . implode(', ', $missing));
            $lines = [];
        }
    }

    private function settings(bool $replaced): array
    {
        $settings = $replaced ? ["extension={$this->options['so']}", 'safehold.replace=all'] : [];
        $arguments = [];
        foreach ([...SETTINGS, ...$settings] as $setting) {
            array_push($arguments, '-d', $setting);
        }
        return $arguments;
    }

    /** A fresh copy of the tests at the same place for each run: some leave files behind that others trip over. */
    private function copy_tests(array $tests): string
    {
        $copy = $this->options['work'] . '/source';
        exec(command('rm', '-rf', $copy));
        $folders = ['tests', 'sapi/cli/tests', 'sapi/cgi/tests', 'sapi/fpm/tests', 'ext/standard/tests'];
        foreach ($tests as $test) {
            $folders[] = preg_replace('~(/?tests)/.*~', '$1', $test);
        }
        foreach (array_unique($folders) as $folder) {
            mkdir(dirname("$copy/$folder"), 0777, true);
            exec(command('cp', '-r', "{$this->options['source']}/$folder", "$copy/$folder"), $lines, $status);
            $status === 0 || fail("could not copy $folder");
        }
        copy("{$this->options['source']}/run-tests.php", "$copy/run-tests.php");
        if ($this->options['fpm'] !== '') {
            symlink($this->options['fpm'], "$copy/sapi/fpm/php-fpm"); // where its tests look for it
        }
        return $copy;
    }

    /** @return array test => PASSED, FAILED, SKIPPED, ... */
    private function run_tests(string $side, array $tests, int $jobs): array
    {
        $work = $this->options['work'];
        $copy = $this->copy_tests($tests);
        is_dir("$work/tmp") || mkdir("$work/tmp");
        file_put_contents("$work/$side.list", implode("\n", $tests) . "\n");
        @unlink("$work/$side.results");
        run($copy, "$work/$side.log", [
            'TEST_PHP_CGI_EXECUTABLE' => $this->options['cgi'],
            'TMPDIR' => "$work/tmp",
            'SKIP_ONLINE_TESTS' => '1',
        ], $this->options['php'], '-n', 'run-tests.php', '-n', '-q', "-j$jobs", '-p', $this->options['php'], '--no-color',
            '--no-progress', '--show-diff', '--set-timeout', '60', ...$this->settings(SIDES[$side]),
            ...['-r', "$work/$side.list", '-W', "$work/$side.results"]);
        $results = array_fill_keys($tests, 'LOST');
        foreach (@file("$work/$side.results", FILE_IGNORE_NEW_LINES) ?: [] as $line) {
            [$result, $test] = explode("\t", $line);
            $results[str_replace("$copy/", '', $test)] = $result;
        }
        return array_intersect_key($results, array_flip($tests));
    }

    private function differing(): array
    {
        return array_keys(array_diff_assoc($this->results['stock'], $this->results['replaced']));
    }

    /** Both sides; what differs is tried again, alone, on both sides alike: a pass in any attempt is a pass. */
    public function run(): void
    {
        $tests = array_values(array_unique(array_merge(...array_values($this->areas))));
        foreach (SIDES as $side => $replaced) {
            @unlink("{$this->options['work']}/$side.log");
            $this->results[$side] = $this->run_tests($side, $tests, (int) $this->options['jobs']);
        }
        for ($attempt = 2; $attempt <= ATTEMPTS && ($again = $this->differing()) !== []; $attempt++) {
            foreach (SIDES as $side => $replaced) {
                foreach ($this->run_tests($side, $again, 1) as $test => $result) {
                    $this->note_again($side, $test, $result, $attempt);
                }
            }
        }
    }

    private function note_again(string $side, string $test, string $result, int $attempt): void
    {
        $before = $this->results[$side][$test];
        if ($result !== $before && $before !== 'PASSED') {
            echo "unsteady: $test, $side: $before, and then in attempt $attempt $result\n";
            $this->results[$side][$test] = $result;
        }
    }

    private function counts(string $side, array $tests): string
    {
        $passed = $skipped = 0;
        foreach ($tests as $test) {
            $result = $this->results[$side][$test];
            $passed += $result === 'PASSED' ? 1 : 0;
            $skipped += in_array($result, ['SKIPPED', 'XFAILED'], true) ? 1 : 0; // one that is said to fail says nothing
        }
        $passed > 0 || fail("none of the tests passed with the functions called $side");
        return sprintf('%6d %6d %7d', $passed, count($tests) - $passed - $skipped, $skipped);
    }

    public function print_table(): void
    {
        echo "                  stock                    replaced\n";
        echo "area       tests  passed failed skipped    passed failed skipped\n";
        foreach ($this->areas as $area => $tests) {
            printf("%-9s %6d  %s    %s\n", $area, count($tests), $this->counts('stock', $tests), $this->counts('replaced', $tests));
        }
        foreach ($this->results['stock'] as $test => $result) {
            if ($result === $this->results['replaced'][$test] && !in_array($result, ['PASSED', 'SKIPPED', 'XFAILED'], true)) {
                echo "fails both ways: $test\n";
            }
        }
    }

    /** @return array test => reason, of the tests that were run */
    private function reasons(): array
    {
        $reasons = [];
        foreach (file(__DIR__ . '/differences.txt', FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) as $line) {
            if ($line[0] !== '#') {
                [$test, $reason] = explode(' ', $line, 2) + [1 => ''];
                trim($reason) !== '' || fail("differences.txt gives no reason for $test");
                $reasons[$test] = trim($reason);
            }
        }
        return array_intersect_key($reasons, array_filter($this->results['stock'], fn ($result) => $result === 'PASSED'));
    }

    /** Whether all is as it should be; prints what differs. */
    public function judge(): bool
    {
        $good = true;
        $reasons = $this->reasons();
        foreach ($this->differing() as $test) {
            [$stock, $replaced] = [$this->results['stock'][$test], $this->results['replaced'][$test]];
            $why = $reasons[$test] ?? null;
            echo "differs: $test: $stock, replaced $replaced", $why === null ? '' : " ($why)", "\n";
            $good = $good && ($stock !== 'PASSED' || $why !== null);
            unset($reasons[$test]);
        }
        foreach ($reasons as $test => $reason) {
            echo "differences.txt names a test that does not differ: $test\n";
            $good = false;
        }
        return $good;
    }
}

$options = getopt('', ['source:', 'so:', 'work:', 'areas:', 'jobs:', 'php:', 'cgi:', 'fpm:']);
$comparison = new Comparison($options);
$comparison->check_replacement();
$comparison->run();
$comparison->print_table();
exit($comparison->judge() ? 0 : 1);
