# Upgrades from every version that was released, for script/test, which sources this file.
#
# `make freeze` puts the install script of a release into test/upgrade. From then on that version is installed anew here,
# asked with its own SQL on today's library, upgraded along every path there is, and held against a fresh install. A C
# function whose signature changes gets another name, so that SQL of before never calls it with other arguments.

# Where the server of the tests finds install scripts; nothing where those are the system's.
scripts_folder() {
	[ ! -s "$work/extension.conf" ] || echo "$work/install$("$PG_CONFIG" --sharedir)/extension"
}

# All that the catalogs know of the extension in a fresh database, into which it came as the SQL says.
catalog_after() {
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS upgrade' -c 'CREATE DATABASE upgrade' >&2
	sql -d upgrade -o /dev/null -c "$1" >&2
	sql -d upgrade -At -f "$root/test/upgrade/catalog.sql"
}

# Prints "symbol signature" of every C function of an install script: its arguments and result without names and defaults.
symbols_of() {
	perl -0777 -ne '
		s/^\s*--.*$//mg;
		while (/CREATE (?:OR REPLACE )?FUNCTION\s+\S+?\s*(\((?:[^()]|(?1))*\))\s*(?:RETURNS\s+(.*?))?\s*LANGUAGE C\b(.*?);/gs) {
			my ($arguments, $result, $rest) = ($1, $2 // "", $3);
			my ($symbol) = $rest =~ /\x27MODULE_PATHNAME\x27\s*,\s*\x27(\w+)\x27/ or next;
			my $strict = $rest =~ /\bSTRICT\b/ ? "strict" : "";
			s/\s+DEFAULT\s+[^,()]+(\([^()]*\))?//gi, s/\s+/ /g for $arguments, $result;
			print "$symbol $arguments $result $strict\n";
		}' "$1" | sort -u
}

# No C function of an older script is called by it with arguments that its namesake of today does not take.
symbols_kept() {
	local lost
	symbols_of "$1" >"$work/symbols.old"
	symbols_of "$2" >"$work/symbols.new"
	[ -s "$work/symbols.old" ] && [ -s "$work/symbols.new" ]
	lost=$(comm -23 "$work/symbols.old" "$work/symbols.new" | while read -r symbol rest; do
		! grep -q "^$symbol " "$work/symbols.new" || echo "$symbol was $rest"
	done)
	[ -z "$lost" ] || { echo "$lost"; return 1; }
}

# A database with an older version and a model, asked, upgraded along a path and asked again.
upgrade_keeps_models() {
	local old=$1 path=$2 step before
	sql -d postgres -c 'SET client_min_messages = warning' -c 'DROP DATABASE IF EXISTS upgrade' -c 'CREATE DATABASE upgrade'
	sql -d upgrade -o /dev/null -c "CREATE EXTENSION reco VERSION '$old'" -f "$root/test/upgrade/model.sql"
	before=$(sql -d upgrade -At -f "$root/test/upgrade/questions.sql")
	for step in $path; do sql -d upgrade -c "ALTER EXTENSION reco UPDATE TO '$step'"; done
	[ -n "$before" ]
	diff <(echo "$before") <(sql -d upgrade -At -f "$root/test/upgrade/questions.sql")
	sql -d upgrade -At -f "$root/test/upgrade/catalog.sql" >"$work/upgraded"
	diff "$work/fresh" "$work/upgraded"
	sql -d upgrade -o /dev/null -c "SELECT reco_refresh('shop')"
}

# Every path of upgrade scripts from a version to the current one: its versions but the first, a line each.
paths_from() {
	sql -d postgres -At -c "
		WITH RECURSIVE step AS (
			SELECT split_part(name, '--', 2) AS source, split_part(name, '--', 3) AS target
			FROM (SELECT replace(f, '.sql', '') AS name FROM pg_ls_dir('$(scripts_folder)') f WHERE f ~ '^reco--.*--.*[.]sql$') n
		), walk AS (
			SELECT target, target AS path FROM step WHERE source = '$1'
			UNION ALL SELECT s.target, w.path || ' ' || s.target FROM walk w JOIN step s ON s.source = w.target
		) SELECT path FROM walk WHERE target = '$2'"
}

# One older version: its symbols, and every path from it.
try_version() {
	local old=$1 current=$2 path found=
	check "C functions that $old calls take what they took" symbols_kept "$(scripts_folder)/reco--$old.sql" "$work/build/sql/reco--$current.sql"
	while read -r path; do
		found=yes
		check "$old to $path: models answer as before, and the catalogs are those of a fresh install" upgrade_keeps_models "$old" "$path"
	done < <(paths_from "$old" "$current")
	[ -n "$found" ] || check "there is a way from $old to $current" false
}

# Writes a version that was never released, the current one but for its last part, and a script that leads from it to here:
# that part, changed by a program of sed.
plant_version() {
	local folder current=$1 script=$work/build/sql/reco--$1.sql last size
	folder=$(scripts_folder)
	last=$root/sql/$(sed -n 's/^PARTS *=.* \([a-z]*\)$/\1/p' "$root/Makefile").sql
	size=$(wc -c <"$last")
	cmp <(tail -c "$size" "$script") "$last"
	head -c "-$size" "$script" >"$folder/reco--0.0.1.sql"
	sed -E "${2:-}" "$last" >"$folder/reco--0.0.1--$current.sql"
}

# Whether the comparison notices what sed does to the script that leads here.
notices() {
	plant_version "$1" "$2"
	catalog_after "CREATE EXTENSION reco VERSION '0.0.1'; ALTER EXTENSION reco UPDATE" >"$work/upgraded"
	! diff "$work/fresh" "$work/upgraded"
}

# Upgrades, and that what compares them would notice.
test_upgrade() {
	local current folder frozen old
	folder=$(scripts_folder)
	if [ -z "$folder" ]; then
		say "skipped: upgrades (this server finds install scripts in the system's folder only)"
		skipped=$((skipped + 1))
		return
	fi
	current=$(sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$root/reco.control")
	check "a fresh install" eval "catalog_after 'CREATE EXTENSION reco' >'$work/fresh'"
	for frozen in "$root"/test/upgrade/reco--*.sql; do
		[ -e "$frozen" ] || continue
		old=$(basename "$frozen" .sql)
		old=${old#reco--}
		if [ "$old" = "$current" ]; then
			check "the install script of $old is as it was released" diff "$frozen" "$work/build/sql/reco--$current.sql"
		else
			cp "$frozen" "$folder/"
			try_version "$old" "$current"
		fi
	done

	check "a version is planted" plant_version "$current"
	try_version 0.0.1 "$current"
	check "the comparison notices a missing comment" notices "$current" '/^COMMENT ON/,/;$/d'
	check "... another default" notices "$current" 's/DEFAULT 10/DEFAULT 11/'
	check "... another volatility" notices "$current" 's/ VOLATILE / STABLE /'
	check "... a right that was taken" notices "$current" '$ a REVOKE ALL ON FUNCTION reco_refresh FROM PUBLIC;'
	check "... a column too many" notices "$current" '$ a ALTER TYPE reco_model ADD ATTRIBUTE left_over int;'
	check "... a function too many" notices "$current" '$ a CREATE FUNCTION reco_left_over() RETURNS int LANGUAGE sql AS $$SELECT 1$$;'
	check "changed arguments of a C function are noticed" signature_noticed "$current"
	rm -f "$folder"/reco--0.0.1*.sql
}

# The same script with one argument of another type, and with one more, must not pass as the same.
signature_noticed() {
	local script=$work/build/sql/reco--$1.sql
	sed '0,/k int/s//k bigint/' "$script" >"$work/other.sql"
	! cmp -s "$script" "$work/other.sql"
	! symbols_kept "$work/other.sql" "$script"
	sed '0,/k int DEFAULT 10,/s//k int DEFAULT 10, more text DEFAULT NULL,/' "$script" >"$work/other.sql"
	! cmp -s "$script" "$work/other.sql"
	! symbols_kept "$work/other.sql" "$script"
	symbols_kept "$script" "$script"
}
