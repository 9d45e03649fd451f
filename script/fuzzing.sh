# Inputs by chance, for script/test, which sources this file: libFuzzer on what reads bytes, odd CSV files for the demo, and
# statements by sqlsmith on a server with models.

FUZZ_SECONDS=600
FUZZ_FLAGS='-std=gnu11 -g -O1 -Wall -Wextra -Werror -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -DRECO_STANDALONE'

# The stored formats byte by byte, by a compiler and, where the processor is another, with what runs its programs.
formats_hold() {
	local program=$work/bytes.$1
	"$1" -std=gnu11 -O2 -Wall -Wextra -Werror -static -DRECO_STANDALONE -I "$root/src" -o "$program" "$root/test/fuzz/bytes.c" \
		"$root"/src/math/{packed,image,rank,best}.c -lm
	${2:-} "$program"
}

# The same on a machine with the highest byte first, and on one of 32 bits.
test_formats() {
	"$here/bootstrap" --also gcc-s390x-linux-gnu --also libc6-dev-s390x-cross --also qemu-user --also gcc-i686-linux-gnu \
		--also libc6-dev-i386-cross || true
	if command -v s390x-linux-gnu-gcc qemu-s390x i686-linux-gnu-gcc >/dev/null; then
		check "stored formats with the highest byte first" formats_hold s390x-linux-gnu-gcc qemu-s390x
		check "stored formats in 32 bits" formats_hold i686-linux-gnu-gcc
	else
		say "skipped: compilers for other processors are not to be had here"
		skipped=$((skipped + 2))
	fi
}

# What the numeric core makes of inputs whose figures are known by hand; the program names its sources by their headers.
figures_hold() {
	local sources
	sources=$(sed -nE 's,^#include "(math/\w+)\.h".*,'"$root"'/src/\1.c,p' "$root/test/fuzz/figures.c" | xargs ls 2>/dev/null) || true
	gcc -std=gnu11 -O2 -Wall -Wextra -Werror -DRECO_STANDALONE -I "$root/src" -o "$work/figures" "$root/test/fuzz/figures.c" $sources -lm
	"$work/figures"
}

# Builds a program of test/fuzz with the numeric core, which needs no server.
build_fuzzer() {
	"$(find_clang)" $FUZZ_FLAGS -I "$root/src" -o "$work/fuzz/$1" "$root/test/fuzz/$1.c" \
		"$root"/src/math/{packed,image,curve,words,network,rank,best}.c -lm
}

# Lets a program loose for some seconds on its corpus, which grows in the temporary folder only.
run_fuzzer() {
	cd "$work/fuzz"
	mkdir "$1.found"
	nice "./$1" -seed=1 -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2000 -print_final_stats=1 -max_len=4096 -verbosity=0 \
		"$1.found" "$root/test/fuzz/corpus/$1" >"$1.log" 2>&1
}

# How a program ended, with the input that ended it in hexadecimal.
fuzzer_ended_well() {
	local input
	grep -E '^stat::(number_of_executed_units|peak_rss_mb)|ERROR|SUMMARY|not so' "$work/fuzz/$1.log" || true
	for input in "$work/fuzz"/{crash,timeout,oom,leak}-*; do
		[ ! -e "$input" ] || { echo "$input"; xxd "$input" | head -n 40; }
	done
	[ "$2" = 0 ] && grep -q '^stat::number_of_executed_units' "$work/fuzz/$1.log"
}

# All programs at the same time.
fuzz_bytes() {
	local program status
	declare -A running=()
	mkdir "$work/fuzz"
	for program in packed image curve words network; do
		check "test/fuzz/$program.c compiles with clang" build_fuzzer "$program"
		[ -x "$work/fuzz/$program" ] || continue
		run_fuzzer "$program" &
		running[$program]=$!
	done
	for program in "${!running[@]}"; do
		status=0
		wait "${running[$program]}" || status=$?
		check "libFuzzer: $FUZZ_SECONDS s of bytes for test/fuzz/$program.c" fuzzer_ended_well "$program" "$status"
		grep -h '^stat::number_of_executed_units' "$work/fuzz/$program.log" | sed 's/^/    /' || true
	done
}

# A database with a model of neighbours, one of factors and a stored matrix, all of one who is no superuser.
make_smith() {
	sql -d postgres -c 'CREATE ROLE smith LOGIN' -c 'CREATE DATABASE smith OWNER smith' \
		-c "ALTER ROLE smith SET statement_timeout = '5s'" \
		-c "ALTER SYSTEM SET log_error_verbosity = verbose" -c "ALTER SYSTEM SET log_line_prefix = '%p %e '" -c 'SELECT pg_reload_conf()'
	sql -d smith -U smith -f "$root/examples/shop.sql"
	sql -d smith -U smith -f "$root/test/fuzz/smith.sql"
}

# Runs sqlsmith for some seconds; it has no such option, and connects anew where a connection is lost.
run_sqlsmith() {
	local status=0
	timeout "$FUZZ_SECONDS" nice sqlsmith --target="host=$PGHOST port=$PGPORT dbname=smith user=smith" --seed=1 --exclude-catalog \
		--verbose >"$work/smith.log" 2>&1 || status=$?
	[ "$status" = 124 ] || { tail -n 20 "$work/smith.log"; return 1; }
}

# No process of the server was lost, and no error that cannot happen came from a file of ours.
server_kept_its_head() {
	local files
	files=$(cd "$root/src" && find . -name '*.c' -printf '%f|')
	sed -nE 's/^[0-9]+ ([0-9A-Z]{5}) ERROR:.*/\1/p' "$work/server.log" | sort | uniq -c | sort -rn | head -n 40
	! grep -E 'TRAP|PANIC|terminated by signal|server process .* was terminated' "$work/server.log" || return 1
	! grep -E -A 6 '^[0-9]+ XX000' "$work/server.log" | grep -E "LOCATION: .*[ /](${files%|}):" || return 1
	[ "$(sql -d smith -At -c "SELECT count(*) FROM reco_top_n(42, 10, 'shop')")" = 10 ]
}

# Calls of every function with odd arguments: one seed after the other, as long as it takes. A lost connection ends it.
run_calls() {
	local end=$((SECONDS + FUZZ_SECONDS)) seed=0
	while [ "$SECONDS" -lt "$end" ]; do
		seed=$((seed + 1))
		sql -d smith -U smith -v ON_ERROR_STOP=0 -v seed="$seed" -f "$root/test/fuzz/calls.sql" >/dev/null 2>"$work/calls.log" ||
			{ tail -n 5 "$work/calls.log"; return 1; }
	done
	echo "$((500 * seed)) calls"
}

# Inputs by chance, FUZZ_SECONDS of each kind.
test_fuzz() {
	test_formats
	fuzz_bytes
	check "$FUZZ_SECONDS s of odd CSV files" perl "$root/test/fuzz/csv.pl" "$FUZZ_SECONDS"
	tail -n 1 "$work/check.log" | sed 's/^/    /'
	check "a database with models for statements by chance" make_smith
	check "$FUZZ_SECONDS s of calls with odd arguments" run_calls
	sed 's/^/    /' "$work/check.log"
	if "$here/bootstrap" --also sqlsmith && command -v sqlsmith >/dev/null; then
		check "$FUZZ_SECONDS s of statements by sqlsmith" run_sqlsmith
	else
		say "skipped: sqlsmith is not to be had here"
		skipped=$((skipped + 1))
	fi
	check "the server kept its head" server_kept_its_head
	sed 's/^/    /' "$work/check.log"
}
