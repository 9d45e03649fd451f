# What the questions about moments cost, for script/bench moments, which sources this file: each script of bench/moments asks
# about all customers of the retail set, by one process, in turns. bench/moments.sql makes what they ask.

# In this order, so that what is asked of a log finds one.
moments=(rhythm fit_bgnbd p_alive learn_habits next_purchases win_back win_back_all hours best_time pace continue hooks onboarding page
	choose replay affinity affinity_everyone demand audience_of segments segments_factors segment_members explain_by wrapped wrapped_json
	wrapped_pieces serve attribute trial learn_ranking)

# The bar: seconds of a processor.
moments_bar=2

# What a question asks, which its first line says.
caption() {
	sed -n '1s/^-- //p' "$root/bench/moments/$1.sql"
}

# The figures of one name that were noted of a question, in rising order.
figures_of() {
	sed -n "s/^$1;1;[0-9]*;$2;//p" "$work/figures" | sort -n
}

# The median of these, and with their least and most.
middle() {
	figures_of "$1" "$2" | awk '{ v[NR] = $1 } END { print (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2 }'
}
spread() {
	figures_of "$1" "$2" | awk -v middle="$(middle "$1" "$2")" '{ v[NR] = $1 } END { printf((NR > 1 ? "%.2f (%.2f to %.2f)" : "%.2f"), middle, v[1], v[NR]) }'
}

# Prints the table.
print_moments() {
	local question verdict
	printf '\n**moments**: %s order lines of %s customers and %s items of the retail set, all customers in one statement by one process; seconds of a processor, the median of %s with the least and the most; the bar is %s.\n\n' \
		"$(sql -At -c "SELECT to_char(count(*), 'FM999,999') FROM order_line WHERE customer_id IS NOT NULL")" "$(sql -At -c "SELECT to_char(count(*), 'FM999,999') FROM customer")" \
		"$(sql -At -c "SELECT to_char(count(*), 'FM999,999') FROM product")" "$runs" "$moments_bar"
	echo '| question | rows, customers or lines | processor | elapsed | within the bar |'
	echo '|---|---|---|---|---|'
	for question in "${moments[@]}"; do
		verdict=$(awk -v seconds="$(middle "$question" cpu)" -v bar="$moments_bar" 'BEGIN { print seconds < bar ? "yes" : "no" }')
		printf '| %s | %s | %s | %s | %s |\n' "$(caption "$question")" "$(middle "$question" rows)" "$(spread "$question" cpu)" "$(spread "$question" wall)" "$verdict"
	done
}

# Asks everything, in turns, and prints the table.
bench_moments() {
	local question run
	say "moments: making the set" >&2
	: >"$work/figures"
	load_retail "$root/bench/moments.sql"
	for ((run = 1; run <= runs; run++)); do
		for question in "${moments[@]}"; do
			say "moments: turn $run of $runs, $question" >&2
			{
				echo "SET timezone = 'UTC';"
				cat "$root/bench/moments/$question.sql"
				echo "SELECT 'wall=' || extract(epoch FROM clock_timestamp()) - :began;"
			} | session "$question" 1 "$run"
		done
	done
	print_moments
}
