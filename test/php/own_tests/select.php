<?php
// SPDX-License-Identifier: MIT
// Which of PHP's own tests call one of the functions that Safehold replaces, by what their --FILE-- section says. A test
// can be in several areas. "included" are those that call one through a file that they include, and no other way; of these
// only those of the command line and the standard functions: with other extensions' it takes more than ten minutes.

const AREAS = [
    'flock' => ['flock', '->flock', 'LOCK_EX'],
    'proc_open' => ['proc_open', 'proc_close', 'proc_get_status', 'proc_terminate'],
    'popen' => ['popen', 'pclose'],
    'exec' => ['exec', 'shell_exec', 'system', 'passthru', '`'],
];

/** The code's tokens as [id, text], without white space and comments. */
function tokens(string $code): array
{
    $tokens = [];
    foreach (@token_get_all($code) as $token) {
        [$id, $text] = is_array($token) ? $token : [0, $token];
        if (!in_array($id, [T_WHITESPACE, T_COMMENT, T_DOC_COMMENT], true)) {
            $tokens[] = [$id, $text];
        }
    }
    return $tokens;
}

/** What the code uses, in the words of AREAS: functions that are called, methods as "->name", LOCK_EX, and "`". */
function used(array $tokens): array
{
    $used = [];
    foreach ($tokens as $at => [$id, $text]) {
        $before = $tokens[$at - 1][0] ?? 0;
        $called = ($tokens[$at + 1][1] ?? '') === '(';
        if ($text === '`') {
            $used['`'] = true;
        } elseif ($text === 'LOCK_EX') {
            $used[$text] = true;
        } elseif ($called && $before === T_OBJECT_OPERATOR) {
            $used['->' . strtolower($text)] = true;
        } elseif ($called && !in_array($before, [T_DOUBLE_COLON, T_FUNCTION, T_NEW], true)) {
            $used[ltrim(strtolower($text), '\\')] = true;
        }
    }
    return $used;
}

/** The files that the code includes, of those that are there: by the last string before the statement's end. */
function included(array $tokens, string $folder): array
{
    $files = [];
    $within = false;
    foreach ($tokens as [$id, $text]) {
        if (in_array($id, [T_REQUIRE, T_REQUIRE_ONCE, T_INCLUDE, T_INCLUDE_ONCE], true)) {
            $within = true;
        } elseif ($text === ';') {
            $within = false;
        } elseif ($within && $id === T_CONSTANT_ENCAPSED_STRING) {
            $file = realpath($folder . '/' . trim($text, '\'"'));
            if ($file !== false && is_file($file)) {
                $files[] = $file;
            }
        }
    }
    return $files;
}

function areas(array $used): array
{
    return array_keys(array_filter(AREAS, fn ($words) => array_intersect($words, array_keys($used)) !== []));
}

function calls_through_file(string $file, int $depth): bool
{
    static $known = [];
    if (!isset($known[$file])) {
        $tokens = tokens(file_get_contents($file));
        $known[$file] = areas(used($tokens)) !== [];
        foreach ($depth > 0 ? included($tokens, dirname($file)) : [] as $next) {
            $known[$file] = $known[$file] || calls_through_file($next, $depth - 1);
        }
    }
    return $known[$file];
}

/** The areas of one test. */
function areas_of(string $test, string $source): array
{
    $areas = str_starts_with($test, 'ext/session/tests/') ? ['session'] : [];
    if (!preg_match('/^--FILE(?:EOF)?--\R(.*?)(?=^--[A-Z_]+--\s*$|\z)/ms', file_get_contents("$source/$test"), $section)) {
        return $areas;
    }
    $tokens = tokens($section[1]);
    array_push($areas, ...areas(used($tokens)));
    $follow = $areas === [] && preg_match('~^(sapi/cli|ext/standard)/~', $test);
    foreach ($follow ? included($tokens, dirname("$source/$test")) : [] as $file) {
        if (calls_through_file($file, 3)) {
            return ['included'];
        }
    }
    return $areas;
}

/** The tests below a source tree of PHP's, as [area, test], sorted. */
function select(string $source): array
{
    $found = [];
    foreach (['Zend', 'ext', 'sapi', 'tests'] as $folder) {
        $files = new RecursiveDirectoryIterator("$source/$folder", FilesystemIterator::SKIP_DOTS);
        foreach (new RecursiveIteratorIterator($files) as $file) {
            if (str_ends_with($file, '.phpt')) {
                $test = substr($file, strlen($source) + 1);
                foreach (areas_of($test, $source) as $area) {
                    $found[] = [$area, $test];
                }
            }
        }
    }
    sort($found);
    return $found;
}
