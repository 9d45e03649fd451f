# How long every question takes, for script/bench serve, which sources this file: each script of bench/serve by pgbench
# through prepared statements, in turns, on a server that is warm, beside what others do with the same tables.

# What is asked, and by how many sessions at once. The first ones are what the others are held against; where a question
# reads all events there is time for a few only.
serve_beside=(select_1 history floor sql_pairs sql_arrays pgvector)
serve_questions=(top_n top_n_in_stock top_n_in_context top_n_of_guest top_n_reranked top_n_diverse top_n_capped explore complete similar_items score match match_10000 rank why why_not popular trending onboarding page)
serve_slow=(audience similar_users top_n_all)

# Makes the model, indexes as reco_check asks for them, and the tables that others would use.
make_served() {
	sql -o /dev/null -v memory="$memory" <<-'SQL'
		SET client_min_messages = warning;
		SET maintenance_work_mem = :'memory';
		CREATE EXTENSION IF NOT EXISTS pg_prewarm;
		CREATE INDEX events_by_user ON events (user_id) INCLUDE (item_id, occurred_at, weight);
		SELECT reco_create_model('bench', 'SELECT user_id, item_id, occurred_at, weight FROM events');
		SELECT reco_configure('bench', similarity => 'cosine', weighting => 'binary', keep => 'source', neighbors => 100, min_support => 1);
		SELECT * FROM reco_refresh('bench');
		CREATE TABLE product AS SELECT DISTINCT item_id AS id FROM events;
		ALTER TABLE product ADD PRIMARY KEY (id);
		SELECT reco_create_model('stocked', 'SELECT user_id, item_id, occurred_at, weight FROM events',
			'SELECT id AS item_id, id % 40 AS brand FROM product WHERE id % 10 <> 0');
		SELECT reco_configure('stocked', similarity => 'cosine', weighting => 'binary', keep => 'source', neighbors => 100, min_support => 1, contexts => '{occurred_at}');
		SELECT * FROM reco_refresh('stocked');
		SELECT reco_create_model('ordered', 'SELECT user_id, item_id, occurred_at, weight FROM events');
		SELECT reco_configure('ordered', similarity => 'cosine', weighting => 'binary', keep => 'source', neighbors => 100, min_support => 1);
		SELECT * FROM reco_refresh('ordered');
		-- A network of any weights costs what one that was learned does.
		INSERT INTO ordered.learned_ranking
		  SELECT layer, unit, feature, CASE layer WHEN 'mean' THEN 0 WHEN 'scale' THEN 1 ELSE sin(row_number() OVER ()) END
		  FROM unnest('{score,place,level,voices,strongest,lately,history,popularity,trend,age,idle}'::text[]) feature,
		    (SELECT unnest('{mean,scale,direct}'::text[]), 0 UNION ALL SELECT 'hidden', generate_series(1, 8)) l(layer, unit)
		  UNION ALL SELECT 'hidden', unit, feature, 0.5 FROM generate_series(1, 8) unit, unnest('{bias,output}'::text[]) feature;
		UPDATE ordered.model SET reranked_first = 100, reranked_of = 'cosine';
		CREATE TABLE pair AS SELECT item_id AS i, similar_item_id AS j, similarity AS s FROM bench.similar;
		ALTER TABLE pair ADD PRIMARY KEY (i, j);
		CREATE TABLE row_of AS SELECT i, array_agg(j ORDER BY s DESC, j) AS j, array_agg(s::real ORDER BY s DESC, j) AS s FROM pair GROUP BY i;
		ALTER TABLE row_of ADD PRIMARY KEY (i);
	SQL
	if [ "$(sql -At -c "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")" = 1 ]; then
		sql -o /dev/null -v memory="$memory" -f "$root/bench/factors.sql"
	else
		say "pgvector is not installed in this server: it is left out" >&2
		serve_beside=("${serve_beside[@]/pgvector/}")
	fi
	sql -c 'VACUUM ANALYZE'
	sql -o /dev/null -c "SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace IN
		('public'::regnamespace, 'bench'::regnamespace, 'stocked'::regnamespace, 'ordered'::regnamespace) AND relname <> 'events'"
}

# Asks one question for so long, by so many sessions, and keeps the microseconds of each answer; further arguments go to pgbench.
ask() {
	local question=$1 clients=$2 as=$3
	shift 3
	rm -f "$work"/answers.*
	pgbench -n -M prepared -c "$clients" -j "$clients" -D users="$users" -D items="$items" --random-seed="$run" \
		-l --log-prefix="$work/answers" -f "$root/bench/serve/$question.sql" "$@" >"$work/pgbench" 2>&1 ||
		die "$question: $(tail -n 5 "$work/pgbench")"
	cat "$work"/answers.* | cut -d ' ' -f 3 >>"$work/times.$as.$clients"
	sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$work/pgbench" >>"$work/rate.$as.$clients"
}

# Asks for top_n while another session is at work without end: what the answers go by, and that session's statements.
ask_while() {
	local as=$1 beside
	shift
	sql -o /dev/null "$@" >/dev/null 2>&1 &
	beside=$!
	sleep 1
	ask top_n 1 "$as" -T "$seconds"
	kill "$beside" 2>/dev/null || die "$as: the session beside it had ended"
	sql -o /dev/null -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %' AND pid <> pg_backend_pid()"
	wait "$beside" 2>/dev/null || true
}

# While the model is learned anew, again and again, by one process.
ask_while_refreshing() {
	ask_while top_n_refreshing -c "SET maintenance_work_mem = '$memory'; SET max_parallel_maintenance_workers = 0" \
		-c "DO 'BEGIN LOOP PERFORM reco_refresh(''bench''); COMMIT; END LOOP; END'"
}

# While some hundred small rows a second are committed, so that nothing goes without saying.
ask_while_writing() {
	ask_while top_n_writing -c 'CREATE TABLE IF NOT EXISTS written (at timestamptz)' \
		-c "DO 'BEGIN LOOP INSERT INTO written VALUES (clock_timestamp()); COMMIT; PERFORM pg_sleep(.002); END LOOP; END'"
}

# The value of a list of numbers below which so many percent of them are.
percentile() {
	sort -n "$1" | awk -v p="$2" '{ v[NR] = $1 } END { n = int(NR * p / 100); print v[n < 1 ? 1 : n + (n < NR * p / 100)] }'
}

# Prints one row: what was asked, the median and 99th percentile in milliseconds, answers a second, and what it is to the floor.
serve_row() {
	local as=$1 clients=$2
	[ -f "$work/times.$as.$clients" ] || return 0
	awk -v name="$as" -v clients="$clients" -v rates="$work/rate.$as.$clients" \
		-v median="$(percentile "$work/times.$as.$clients" 50)" -v high="$(percentile "$work/times.$as.$clients" 99)" \
		-v floor="$(percentile "$work/times.floor.$clients" 50)" -v floor_high="$(percentile "$work/times.floor.$clients" 99)" '
		BEGIN {
			while ((getline rate < rates) > 0) { sum += rate; n++ }
			printf "| %s | %d | %.3f | %.3f | %.0f | %.2f | %.2f |\n", name, clients, median / 1000, high / 1000, sum / n, median / floor, high / floor_high
		}'
}

# Prints how a figure of a row compares with one of another, where both are there: caption, wanted, and both files.
serve_bar() {
	local caption=$1 wanted=$2 a=$3 b=$4
	[ -z "$a" ] || [ -z "$b" ] || awk -v c="$caption" -v w="$wanted" -v a="$a" -v b="$b" 'BEGIN { printf "| %s | %s | %.2f |\n", c, w, a / b }'
}

# A percentile of what was noted, nothing where nothing was.
noted() {
	[ ! -f "$work/times.$1.$2" ] || percentile "$work/times.$1.$2" "$3"
}

# Prints the tables.
print_served() {
	local as clients
	printf '\n**%s, serving**: %s users, %s items, histories of %s items in the median; milliseconds over %s turns of %s s. The last two columns are to the floor: the same history and its neighbour rows read, nothing computed.\n\n' \
		"$set" "$users" "$items" "$(sql -At -c 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM (SELECT count(*) AS n FROM events GROUP BY user_id) h')" "$runs" "$seconds"
	echo '| question | sessions | median | 99th percentile | answers/s | median / floor | 99th / floor |'
	echo '|---|---|---|---|---|---|---|'
	for clients in 1 2; do
		for as in "${serve_beside[@]}" "${serve_questions[@]}" "${serve_slow[@]}" top_n_refreshing top_n_writing; do
			[ -z "$as" ] || serve_row "$as" "$clients"
		done
	done
	printf '\n| bar | wanted | measured |\n|---|---|---|\n'
	serve_bar 'top_n / floor, median' 'at most 1.5' "$(noted top_n 1 50)" "$(noted floor 1 50)"
	serve_bar 'top_n / floor, 99th percentile' 'at most 2' "$(noted top_n 1 99)" "$(noted floor 1 99)"
	serve_bar 'top_n with a network / without, median' 'at most 3' "$(noted top_n_reranked 1 50)" "$(noted top_n 1 50)"
	serve_bar 'SQL over pairs / top_n, median' 'at least 10' "$(noted sql_pairs 1 50)" "$(noted top_n 1 50)"
	serve_bar 'SQL over arrays / top_n, median' 'at least 10' "$(noted sql_arrays 1 50)" "$(noted top_n 1 50)"
	serve_bar 'pgvector / top_n, median' 'more than 1' "$(noted pgvector 1 50)" "$(noted top_n 1 50)"
	serve_bar 'pgvector / top_n while others write, median' 'more than 1' "$(noted pgvector 1 50)" "$(noted top_n_writing 1 50)"
	serve_bar 'pgvector / top_n, 99th percentile' 'more than 1' "$(noted pgvector 1 99)" "$(noted top_n 1 99)"
	serve_bar 'top_n, answers of two sessions / of one' 'at least 1.9' \
		"$(awk '{ s += $1 } END { print s / NR }' "$work/rate.top_n.2")" "$(awk '{ s += $1 } END { print s / NR }' "$work/rate.top_n.1")"
	serve_bar 'match of 10,000 items, milliseconds' 'less than 20' "$(noted match_10000 1 50)" 1000
	serve_bar 'top_n during a refresh / before it, median' 'at most 1.3' "$(noted top_n_refreshing 1 50)" "$(noted top_n 1 50)"
}

# Asks everything, in turns, and prints the tables.
serve_all() {
	local set=$1 question clients run
	make_served
	users=$(sql -At -c 'SELECT max(user_id) FROM events')
	items=$(sql -At -c 'SELECT max(item_id) FROM events')
	rm -f "$work"/times.* "$work"/rate.*
	for ((run = 1; run <= runs; run++)); do
		say "$set: serving, turn $run of $runs" >&2
		for clients in 1 2; do
			for question in "${serve_beside[@]}" "${serve_questions[@]}"; do
				[ -z "$question" ] || ask "$question" "$clients" "$question" -T "$seconds"
			done
		done
		for question in "${serve_slow[@]}"; do
			ask "$question" 1 "$question" -t 2
		done
		ask_while_refreshing
		ask_while_writing
	done
	print_served
	sql -o /dev/null -c "SELECT reco_drop_model('bench'), reco_drop_model('stocked'), reco_drop_model('ordered')" -c 'DROP TABLE IF EXISTS written, pair, row_of, product, item_factors, user_factors'
}
