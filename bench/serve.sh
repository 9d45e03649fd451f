# How long every question takes, for script/bench serve, which sources this file: each script of bench/serve by pgbench
# through prepared statements, on a server that is warm, beside what others do with the same tables.
#
# What a bar compares takes turns, round after round, each time another one first, and a bar is the median over the rounds of
# what the figures of one round are to each other. In a round every question is asked of the same users in the same order,
# twice in one session: the first answers warm it, its caches and its view of the server's, and only the second count.

# What is asked, and by how many sessions at once. What is compared comes first: the shares of the users of a round that it is
# asked of; where a question reads all events there is time for a few only.
declare -A serve_share=([sql_pairs]=6 [sql_arrays]=6 [match_10000]=12)
serve_compared=(select_1 history floor pgvector top_n top_n_reranked sql_pairs sql_arrays match_10000)
serve_questions=(top_n_in_stock top_n_in_context top_n_of_guest top_n_diverse top_n_capped explore complete similar_items score match rank why why_not popular trending onboarding page)
serve_slow=(audience similar_users top_n_all)
serve_rounds=8

# Makes the model, indexes as reco_check asks for them, and the tables that others would use.
make_served() {
	sql -o /dev/null -v memory="$memory" <<-'SQL'
		SET client_min_messages = warning;
		SET maintenance_work_mem = :'memory';
		CREATE EXTENSION IF NOT EXISTS pg_prewarm;
		CREATE INDEX events_by_user ON events (user_id) INCLUDE (item_id, occurred_at, weight);
		CREATE INDEX events_by_item ON events (item_id);
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
		serve_compared=("${serve_compared[@]/pgvector/}")
	fi
	sql -c 'VACUUM ANALYZE'
	sql -o /dev/null -c "SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace IN
		('public'::regnamespace, 'bench'::regnamespace, 'stocked'::regnamespace, 'ordered'::regnamespace) AND relname <> 'events'"
}

# Prints a question with its draws by number: so many different ones, the same in every round, and then the same again.
numbered() {
	printf '\\set number :number + 1\n\\set drawn :client_id * %d + mod(:number, %d)\n' "$2" "$2"
	sed -E 's/random\(([0-9]+), (.*)\)$/\1 + permute(:drawn, \2 + 1 - \1, :round)/' "$root/bench/serve/$1.sql"
}

# Asks one question, of so many users a session, and keeps the microseconds of the answers that come after the first half, in
# a file by round; further arguments, which say when to end, go to pgbench.
ask() {
	local question=$1 clients=$2 as=$3 different=$4 file
	shift 4
	rm -f "$work"/answers.*
	numbered "$question" "$different" >"$work/question.sql"
	pgbench -n -M prepared -c "$clients" -j "$clients" -D users="$users" -D items="$items" -D number=-1 -D round="$round" \
		-l --log-prefix="$work/answers" -f "$work/question.sql" "$@" >"$work/pgbench" 2>&1 ||
		die "$question: $(tail -n 5 "$work/pgbench")"
	for file in "$work"/answers.*; do
		tail -n "+$(($(wc -l <"$file") / 2 + 1))" "$file" >"$work/warm"
		cut -d ' ' -f 3 "$work/warm" >>"$work/times.$as.$clients.$round"
		# Answers a second, from before the first of them to the last.
		awk '{ at = $5 + $6 / 1e6 } NR == 1 { from = at - $3 / 1e6 } END { print NR / (at - from) }' "$work/warm"
	done | awk '{ s += $1 } END { print s }' >"$work/rate.$as.$clients.$round"
}

# Asks one question of the users of a round, or of some of them, twice.
ask_twice() {
	local different=$((asked / ${serve_share[$1]:-1}))
	ask "$1" "$2" "${3:-$1}" "$different" -t $((2 * different))
}

# Asks what is compared, all in one round, a different one first each time.
ask_compared() {
	local n first=$((round % ${#serve_compared[@]}))
	for ((n = 0; n < ${#serve_compared[@]}; n++)); do
		question=${serve_compared[(first + n) % ${#serve_compared[@]}]}
		[ -z "$question" ] || ask_twice "$question" "$1"
	done
}

# Asks questions in turns while another session is at work without end: the word that the answers are kept by, the questions,
# and that session's statements.
ask_while() {
	local as=$1 questions=$2 question beside
	shift 2
	sql -o /dev/null "$@" >/dev/null 2>&1 &
	beside=$!
	sleep 1
	for ((round = first_round; round < last_round; round++)); do
		for question in $questions; do
			ask_twice "$question" 1 "${question}_$as"
		done
	done
	kill "$beside" 2>/dev/null || die "$as: the session beside it had ended"
	sql -o /dev/null -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'DO %' AND pid <> pg_backend_pid()"
	wait "$beside" 2>/dev/null || true
}

# While the model is learned anew, again and again, by one process.
ask_while_refreshing() {
	ask_while refreshing top_n -c "SET maintenance_work_mem = '$memory'; SET max_parallel_maintenance_workers = 0" \
		-c "DO 'BEGIN LOOP PERFORM reco_refresh(''bench''); COMMIT; END LOOP; END'"
}

# While some hundred small rows a second are committed, so that nothing goes without saying.
ask_while_writing() {
	local questions=top_n
	[[ " ${serve_compared[*]} " != *" pgvector "* ]] || questions+=' pgvector'
	ask_while writing "$questions" -c 'CREATE TABLE IF NOT EXISTS written (at timestamptz)' \
		-c "DO 'BEGIN LOOP INSERT INTO written VALUES (clock_timestamp()); COMMIT; PERFORM pg_sleep(.002); END LOOP; END'"
}

# The value of a list of numbers below which so many percent of them are.
percentile() {
	sort -n | awk -v p="$1" '{ v[NR] = $1 } END { n = int(NR * p / 100); print v[n < 1 ? 1 : n + (n < NR * p / 100)] }'
}

# Prints the numbers of rounds in which something was asked, by so many sessions.
rounds_of() {
	local file
	for file in "$work/times.$1.$2".*; do
		[ ! -f "$file" ] || echo "${file##*.}"
	done
}

# The median over rounds of a percentile of the times of something that was asked, in microseconds.
time_of() {
	local round
	for round in $(rounds_of "$1" "$2"); do
		percentile "$3" <"$work/times.$1.$2.$round"
	done | percentile 50
}

# The median over rounds of answers a second.
rate_of() {
	cat "$work/rate.$1.$2".* | percentile 50
}

# The median over rounds of what a percentile of one thing is to that of another, of the users that both were asked of, by one
# session.
ratio_of() {
	local round count
	for round in $(rounds_of "$1" 1); do
		[ -f "$work/times.$2.1.$round" ] || continue
		count=$(wc -l "$work/times.$1.1.$round" "$work/times.$2.1.$round" | sort -n | awk 'NR == 1 { print $1 }')
		echo "$(head -n "$count" "$work/times.$1.1.$round" | percentile "$3") $(head -n "$count" "$work/times.$2.1.$round" | percentile "$3")"
	done | awk '{ print $1 / $2 }' | percentile 50
}

# The median over rounds of what two sessions answered in a second to what one did.
doubling_of() {
	local round
	for round in $(rounds_of "$1" 2); do
		echo "$(<"$work/rate.$1.2.$round") $(<"$work/rate.$1.1.$round")"
	done | awk '{ print $1 / $2 }' | percentile 50
}

# Prints one row: what was asked, the median and 99th percentile in milliseconds, answers a second, and what it is to the floor.
serve_row() {
	[ -n "$(rounds_of "$1" "$2")" ] || return 0
	awk -v name="$1" -v clients="$2" -v median="$(time_of "$1" "$2" 50)" -v high="$(time_of "$1" "$2" 99)" -v rate="$(rate_of "$1" "$2")" \
		-v floor="$(time_of floor "$2" 50)" -v floor_high="$(time_of floor "$2" 99)" '
		BEGIN { printf "| %s | %d | %.3f | %.3f | %.0f | %.2f | %.2f |\n", name, clients, median / 1000, high / 1000, rate, median / floor, high / floor_high }'
}

# Prints a bar: caption, wanted, measured; nothing where nothing was.
serve_bar() {
	[ -z "$3" ] || printf '| %s | %s | %.2f |\n' "$@"
}

# Prints the tables.
print_served() {
	local as clients
	printf '\n**%s, serving**: %s users, %s items, histories of %s items in the median; milliseconds, medians over %s rounds of %s users for what is compared, and turns of %s s for the rest. The last two columns are to the floor: the same history and its neighbour rows read, nothing computed.\n\n' \
		"$set" "$users" "$items" "$(sql -At -c 'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY n) FROM (SELECT count(*) AS n FROM events GROUP BY user_id) h')" \
		"$((runs * serve_rounds))" "$asked" "$seconds"
	echo '| question | sessions | median | 99th percentile | answers/s | median / floor | 99th / floor |'
	echo '|---|---|---|---|---|---|---|'
	for clients in 1 2; do
		for as in "${serve_compared[@]}" top_n_refreshing top_n_writing pgvector_writing "${serve_questions[@]}" "${serve_slow[@]}"; do
			[ -z "$as" ] || serve_row "$as" "$clients"
		done
	done
	printf '\n| bar, median over the rounds | wanted | measured |\n|---|---|---|\n'
	serve_bar 'top_n / floor, median' 'at most 1.5' "$(ratio_of top_n floor 50)"
	serve_bar 'top_n / floor, 99th percentile' 'at most 2' "$(ratio_of top_n floor 99)"
	serve_bar 'top_n with a network / without, median' 'at most 3' "$(ratio_of top_n_reranked top_n 50)"
	serve_bar 'SQL over pairs / top_n, median' 'at least 10' "$(ratio_of sql_pairs top_n 50)"
	serve_bar 'SQL over arrays / top_n, median' 'at least 10' "$(ratio_of sql_arrays top_n 50)"
	serve_bar 'pgvector / top_n, median' 'more than 1' "$(ratio_of pgvector top_n 50)"
	serve_bar 'pgvector / top_n, while others write, median' 'more than 1' "$(ratio_of pgvector_writing top_n_writing 50)"
	serve_bar 'pgvector / top_n, 99th percentile' 'more than 1' "$(ratio_of pgvector top_n 99)"
	serve_bar 'top_n, answers of two sessions / of one' 'at least 1.9' "$(doubling_of top_n)"
	serve_bar 'match of 10,000 items, milliseconds' 'less than 20' "$(awk -v a="$(time_of match_10000 1 50)" 'BEGIN { print a / 1000 }')"
	serve_bar 'top_n during a refresh / before it, median' 'at most 1.3' "$(ratio_of top_n_refreshing top_n 50)"
}

# Asks everything, in turns, and prints the tables.
serve_all() {
	local set=$1 asked=$((200 * seconds)) question clients run round first_round last_round
	make_served
	users=$(sql -At -c 'SELECT max(user_id) FROM events')
	items=$(sql -At -c 'SELECT max(item_id) FROM events')
	rm -f "$work"/times.* "$work"/rate.*
	for ((run = 1; run <= runs; run++)); do
		say "$set: serving, turn $run of $runs" >&2
		first_round=$(((run - 1) * serve_rounds))
		last_round=$((run * serve_rounds))
		for ((round = first_round; round < last_round; round++)); do
			ask_compared 1
			ask_compared 2
		done
		round=$first_round
		for clients in 1 2; do
			for question in "${serve_questions[@]}"; do
				ask "$question" "$clients" "$question" "$asked" -T "$seconds"
			done
		done
		for question in "${serve_slow[@]}"; do
			ask "$question" 1 "$question" 2 -t 3
		done
		ask_while_refreshing
		ask_while_writing
	done
	print_served
	sql -o /dev/null -c "SELECT reco_drop_model('bench'), reco_drop_model('stocked'), reco_drop_model('ordered')" -c 'DROP TABLE IF EXISTS written, pair, row_of, product, item_factors, user_factors'
}
