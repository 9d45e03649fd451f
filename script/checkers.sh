# reco under what watches its every step, for script/test, which sources this file: a server with assertions, valgrind,
# the sanitizers of gcc, and gcov.

# A server built from Debian's source with assertions, which tells valgrind of every palloc, in the folder of servers.
CHECKED=/opt/reco-checked
CHECKED_MAJOR=18

# The sanitizers run on the packaged server that they are known to work with.
ASAN_MAJOR=17

# What runs under each checker where nobody says which parts: valgrind is some fifty times slower.
declare -A CHECKED_PARTS=([cassert]="${SERVER_PARTS[*]}" [valgrind]='regress' [asan]='regress pgtap' [coverage]="${SERVER_PARTS[*]}")

# Builds that server, which takes minutes, unless it is there; its words are shown when that fails.
make_checked_server() {
	local began=$SECONDS
	if ! in_folder servers test -e "$CHECKED/complete"; then
		say "building PostgreSQL $CHECKED_MAJOR with assertions (some minutes, once)"
		in_folder servers bash -euc '
			target=$1 major=$2
			rm -rf "$target"
			mkdir /tmp/source
			cd /tmp/source
			apt-get update -qq
			apt-get source -qq --download-only "postgresql-$major"
			# Without the patches of Debian, by which the prefix would not hold for everything.
			dpkg-source --skip-patches -x postgresql-"$major"_*.dsc tree
			cd tree
			./configure --quiet --prefix="$target" --enable-cassert --enable-debug --enable-tap-tests \
				--without-readline --without-zlib --without-icu CPPFLAGS=-DUSE_VALGRIND CFLAGS="-O1 -fno-omit-frame-pointer"
			make -s -j2
			make -s install
			make -s -C contrib/auto_explain install
			cp src/tools/valgrind.supp "$target"
			cp /usr/share/postgresql/"$major"/extension/pgtap* "$("$target/bin/pg_config" --sharedir)/extension/"
			touch "$target/complete"
		' build "$CHECKED" "$CHECKED_MAJOR" >"$work/folder.log" 2>&1 ||
			{ show "$work/folder.log" 15; cannot "PostgreSQL $CHECKED_MAJOR could not be built from Debian's source"; } || return
		rm -rf "$work/tmp/source"
		say "built it in $((SECONDS - began)) s"
	fi
}

# Runs parts of the tests under a checker, in the folder of servers.
test_under() {
	local checker=$1
	shift
	make_folder servers || return
	if [ "$checker" = asan ]; then
		RECO_UNDER=asan test_in_folder servers "/usr/lib/postgresql/$ASAN_MAJOR/bin/pg_config" "$@"
	else
		make_checked_server || return
		RECO_UNDER=$checker test_in_folder servers "$CHECKED/bin/pg_config" "$@"
	fi
}

# Writes the program that is run instead of the server.
write_program() {
	server_program=$work/server
	as_owner mkdir "$work/reports"
	{ echo '#!/bin/sh'; echo "exec $* $("$PG_CONFIG" --bindir)/postgres \"\$@\""; } >"$server_program"
	chmod 755 "$server_program"
}

# Sets what the build and the server need under a checker. All that it finds goes to $work/reports.
prepare_checker() {
	case $1 in
	valgrind)
		build_flags=(COPT='-g -O1')
		write_program valgrind --quiet --leak-check=no --error-limit=no --num-callers=25 \
			--suppressions="$CHECKED/valgrind.supp" --log-file="$work/reports/%p.log"
		;;
	asan)
		build_flags=(COPT='-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fsanitize-recover=address,undefined -fno-wrapv'
			SHLIB_LINK='-lm -fsanitize=address,undefined')
		write_program env LD_PRELOAD="$(gcc -print-file-name=libasan.so)" \
			ASAN_OPTIONS="detect_leaks=0:halt_on_error=0:log_path=$work/reports/address" \
			UBSAN_OPTIONS="print_stacktrace=1:log_path=$work/reports/undefined"
		;;
	coverage)
		build_flags=(COPT='--coverage -O0' SHLIB_LINK='-lm --coverage')
		;;
	esac
}

# What the checker reported, if it did: called once the server is gone.
nothing_reported() {
	find "$work/reports" -type f -size +0 -exec cat {} +
	[ -z "$(find "$work/reports" -type f -size +0)" ]
}

# The tests ran through most of the code: prints what of each file, and which lines never.
enough_covered() {
	local gcda
	cd "$work/build"
	for gcda in src/*.gcda src/*/*.gcda; do
		gcov --json-format --stdout --object-directory "${gcda%/*}" "$gcda" 2>/dev/null
	done | perl -MJSON::PP -ne '
		for my $file (@{ decode_json($_)->{files} }) {
			next unless $file->{file} =~ m{^(?:\./)?src/.*\.c$};
			for my $line (@{ $file->{lines} }) { $count{ $file->{file} }{ $line->{line_number} } += $line->{count} }
		}
		END {
			for my $name (sort keys %count) {
				my $lines = $count{$name};
				my @missed = sort { $a <=> $b } grep { !$lines->{$_} } keys %$lines;
				my (@runs, $last);
				for my $line (@missed) {
					if (defined $last && $line <= $last + 2) { $runs[-1] =~ s/(-\d+)?$/-$line/ } else { push @runs, $line }
					$last = $line;
				}
				my $all = keys %$lines;
				printf "%5.1f %% of %4d  %s%s\n", 100 * ($all - @missed) / $all, $all, $name, @runs ? ": @runs" : "";
				$total += $all;
				$covered += $all - @missed;
			}
			die "gcov found nothing\n" unless $total;
			printf "%5.1f %% of %d lines in all\n", 100 * $covered / $total, $total;
			exit($covered < 0.92 * $total);
		}' | tee "$work/coverage"
}

# Judges by what the checker found, once the tests are through.
judge_checker() {
	stop_server
	case $1 in
	valgrind | asan) check "$1 reported nothing" nothing_reported ;;
	coverage)
		check "at least 92 % of the lines of C ran" enough_covered
		cat "$work/coverage"
		;;
	esac
}
