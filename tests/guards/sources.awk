# One pass over the files named on the command line; prints "file:line: what is wrong". Comments and
# texts of C are blanked before calls are looked for. Used by check_sources.sh.

function breach(text) { print FILENAME ":" FNR ": " text }

# where: 1 in what we ship, 2 in what is loaded into a host
function forbid(where, list, why,    names, count, i)
{
	count = split(list, names, " ")
	for (i = 1; i <= count; i++) {
		reason[names[i]] = why
		forbidden[names[i]] = where
	}
}

BEGIN {
	file_lines_max = 800
	marks = "(^|[^A-Za-z0-9_])(TO" "DO|FIX" "ME|XX" "X)([^A-Za-z0-9_]|$)"

	# in what we ship; tests run under sanitizers instead
	forbid(1, "gets sprintf vsprintf strcat", "it does not know how much room there is; use snprintf()")
	forbid(1, "strtok", "it keeps state between calls and threads; use strcspn()")
	forbid(1, "system popen wordexp", "it gives text to a shell")
	forbid(1, "tmpnam tempnam mktemp", "it names a file that another process can make first")
	forbid(1, "alloca", "it can overrun the stack")
	forbid(1, "strcasecmp strncasecmp strcasestr tolower toupper isalpha isalnum isupper islower isdigit " \
		"isxdigit isspace isprint", "it follows the host's locale; use plugin/base/ascii.h, or " \
		"hosts/cli/letters.h")

	# in the process of somebody else (design rule 21)
	forbid(2, "exit _exit _Exit quick_exit abort assert atexit on_exit", \
		"it ends the host, or outlives us in it; return an error")
	forbid(2, "signal sigaction bsd_signal sigset sigprocmask raise kill alarm setitimer", \
		"signals belong to the host")
	forbid(2, "setlocale setenv unsetenv putenv clearenv umask chdir fchdir chroot setrlimit setuid " \
		"setgid tzset", "it changes the host's process")
	forbid(2, "fork vfork daemon execl execlp execle execv execvp execve posix_spawn", \
		"processes belong to the host")
	forbid(2, "printf vprintf puts putchar perror psignal", \
		"it writes to the host's output; only the log callback may be told")
	forbid(2, "localtime gmtime asctime ctime rand srand", "it is not safe with threads")
}

FNR == 1 {
	is_c = FILENAME ~ /\.[ch]$/
	is_test = FILENAME ~ /^tests\//
	is_plugin = FILENAME ~ /^(plugin|patterns|schema)\//
	in_comment = 0
	too_long = 0
	if (FILENAME ~ /\.c$/ && $0 !~ /^\/\*/)
		breach("does not open with a comment that says what this file decides")
}

FNR > file_lines_max && !too_long {
	too_long = 1
	breach("the file has more than " file_lines_max " lines: divide it")
}

/[ \t\r]$/ { breach("ends with a blank") }
$0 ~ marks { breach("a mark of unfinished work: finish it, or write it down where a user finds it") }

is_c {
	if ($0 ~ /^ *\t/)
		breach("is indented with a tab")
	check_calls(code_of($0))
}

# The line with comments, texts and characters blanked.
function code_of(line,    code, at, rest)
{
	code = ""
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			if (!at)
				return code
			in_comment = 0
			line = substr(line, at + 2)
			code = code " "
		}
		if (!match(line, /\/\*|\/\/|"|'/))
			return code line
		at = RSTART
		code = code substr(line, 1, at - 1)
		rest = substr(line, at)
		if (substr(rest, 1, 2) == "//")
			return code
		if (substr(rest, 1, 2) == "/*") {
			in_comment = 1
			line = substr(rest, 3)
		} else if (match(rest, /^"([^"\\]|\\.)*"/) || match(rest, /^'([^'\\]|\\.)*'/)) {
			code = code "\"\""
			line = substr(rest, RLENGTH + 1)
		} else {
			return code # a text over several lines; the compiler warns
		}
	}
	return code
}

function check_calls(code,    name, before)
{
	if (is_plugin && code ~ /(^|[^A-Za-z0-9_])(stdout|stderr)([^A-Za-z0-9_]|$)/)
		breach("the host's output is not ours; only the log callback may be told")
	while (match(code, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
		name = substr(code, RSTART, RLENGTH - 1)
		before = RSTART > 1 ? substr(code, RSTART - 1, 1) : ""
		code = substr(code, RSTART + RLENGTH)
		sub(/[ \t]+$/, "", name)
		if (name in forbidden && before != "." && before != ">" &&
			(forbidden[name] == 1 ? !is_test : is_plugin))
			breach(name "() is not used here: " reason[name])
	}
}
