# Long sessions: prepared statements and cached plans live through refreshes, replaced models, new views and other roles.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(log_holds_no_fault);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "timezone = 'UTC'");
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE ROLE clerk; CREATE ROLE auditor;
	CREATE TABLE products (id int PRIMARY KEY, name text, in_stock boolean NOT NULL DEFAULT true);
	CREATE TABLE orders (customer_id int, product_id int, ordered_at timestamptz);
	INSERT INTO products SELECT p, 'product ' || p FROM generate_series(0, 59) p;
	INSERT INTO orders
		SELECT c, (c % 6) + 6 * ((c * 7 + n * n) % 10), timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour'
		FROM generate_series(1, 300) c, generate_series(1, 8) n
		UNION ALL
		SELECT c, (c * 11 + n * 17) % 60, timestamptz '2024-02-01' + n * interval '1 day'
		FROM generate_series(1, 300) c, generate_series(1, 4) n;
	CREATE VIEW orders_by_name AS
		SELECT 'customer ' || customer_id AS customer, md5(product_id::text)::uuid AS product, ordered_at FROM orders;

	-- The same questions as cached plans of plpgsql; ids go in and out as text, so that any model can be asked.
	CREATE FUNCTION by_number(customer bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN RETURN QUERY SELECT concat_ws('|', t.item_id, t.score, t.match, t.because, t.source) FROM reco_top_n(customer, 10, 'shop') t; END $$;
	CREATE FUNCTION by_door(customer int) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN RETURN QUERY SELECT concat_ws('|', t.item_id, t.score, t.match, t.because, t.source) FROM shop.top_n(customer, 10) t; END $$;
	CREATE FUNCTION by_view(item int) RETURNS SETOF text LANGUAGE plpgsql AS $$
	BEGIN RETURN QUERY SELECT concat_ws('|', s.rank, s.similar_item_id, s.similarity) FROM shop.similar s WHERE s.item_id = item ORDER BY s.rank; END $$;
	CREATE FUNCTION matched(customer bigint) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE answer text := '';
	BEGIN
		FOR p IN 0 .. 59 LOOP
			answer := answer || coalesce(reco_match(customer, p, 'shop')::text, '-') || ' ' || reco_score(customer, p, 'shop') || ' ';
		END LOOP;
		RETURN answer;
	END $$;
});
my $by_number = q{
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM public.orders',
		'SELECT id AS item_id, name FROM public.products');
	SELECT reco_refresh('shop') IS NOT NULL;};
$node->safe_psql('postgres', $by_number);

# What a session with cached plans says must be what a session that knows nothing yet says.
my %cached = (
	'prepared reco_top_n' => [ 'EXECUTE top_n(5)', q{SELECT * FROM reco_top_n(5, 10, 'shop')} ],
	'prepared door' => [ 'EXECUTE door(5)', q{SELECT * FROM shop.top_n(5, 10)} ],
	'prepared similar items' => [ 'EXECUTE alike(7)', q{SELECT * FROM reco_similar_items(7, 10, 'shop')} ],
	'prepared basket' => [ q{EXECUTE basket('{1,2}')}, q{SELECT * FROM reco_complete('{1,2}'::bigint[], 10, 'shop')} ],
	'prepared popular' => [ 'EXECUTE popular', q{SELECT * FROM reco_popular(10, 'shop')} ],
	'prepared view' => [ 'EXECUTE view(7)', q{SELECT * FROM shop.similar WHERE item_id = 7 ORDER BY rank} ],
	'plpgsql reco_top_n' => [ 'SELECT by_number(5)', q{SELECT concat_ws('|', t.item_id, t.score, t.match, t.because, t.source) FROM reco_top_n(5, 10, 'shop') t} ],
	'plpgsql door' => [ 'SELECT by_door(5)', q{SELECT concat_ws('|', t.item_id, t.score, t.match, t.because, t.source) FROM shop.top_n(5, 10) t} ],
	'plpgsql view' =>
	  [ 'SELECT by_view(7)', q{SELECT concat_ws('|', rank, similar_item_id, similarity) FROM shop.similar WHERE item_id = 7 ORDER BY rank} ],
	'plpgsql match' => [ 'SELECT matched(5)',
		q{SELECT string_agg(coalesce(reco_match(5, p, 'shop')::text, '-') || ' ' || reco_score(5, p, 'shop') || ' ', '' ORDER BY p)
			FROM generate_series(0, 59) p} ],);

my $prepare = q{
	PREPARE top_n(bigint) AS SELECT * FROM reco_top_n($1, 10, 'shop');
	PREPARE door(int) AS SELECT * FROM shop.top_n($1, 10);
	PREPARE alike(bigint) AS SELECT * FROM reco_similar_items($1, 10, 'shop');
	PREPARE basket(bigint[]) AS SELECT * FROM reco_complete($1, 10, 'shop');
	PREPARE popular AS SELECT * FROM reco_popular(10, 'shop');
	PREPARE view(int) AS SELECT * FROM shop.similar WHERE item_id = $1 ORDER BY rank;};

# Two sessions: one whose plans are custom, one that keeps generic ones.
my %session = map { $_ => $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]) }
  ('custom', 'generic');
$session{$_}->query_safe("SET plan_cache_mode = force_${_}_plan; $prepare") for keys %session;

# Runs a statement that may fail; returns output and errors.
sub ask
{
	my ($session, $sql) = @_;
	$session->{stderr} = '';
	my $out = $session->query($sql);
	my $err = $session->{stderr};
	$session->{stderr} = '';
	return ($out, $err);
}

# Every cached plan, three times in each session, says what a new session says; returns that.
sub agree
{
	my ($name) = @_;
	my %fresh = map { $_ => $node->safe_psql('postgres', $cached{$_}[1]) } keys %cached;
	for my $kind (sort keys %session)
	{
		for my $question (sort keys %cached)
		{
			is_deeply([ map { ask($session{$kind}, $cached{$question}[0]) } 1 .. 3 ], [ map { ($fresh{$question}, '') } 1 .. 3 ],
				"$name: $question, $kind plans");
		}
	}
	return \%fresh;
}

# The cached plans of one session say what they said.
sub agree_within
{
	my ($kind, $name, $said) = @_;
	is_deeply([ map { (ask($session{$kind}, $cached{$_}[0]))[0] } sort keys %cached ], $said, "$name: as it was, $kind plans");
}

my $first = agree('at first');
cmp_ok(length($first->{$_}), '>', 100, "there is something to compare: $_") for sort keys %cached;

# Events that were not learned, and a refresh, by another session and by each of these.
$node->safe_psql('postgres', q{INSERT INTO orders VALUES (5, 30, '2024-06-01'), (5, 31, '2024-06-02')});
my $second = agree('new orders');
isnt($second->{'plpgsql reco_top_n'}, $first->{'plpgsql reco_top_n'}, 'new orders: another list');
$node->safe_psql('postgres', q{
	INSERT INTO orders SELECT c, (c * 13 + n) % 75, '2024-06-03' FROM generate_series(1, 300) c, generate_series(1, 3) n;
	INSERT INTO products SELECT p, 'product ' || p FROM generate_series(60, 74) p;
	SELECT reco_refresh('shop')});
my $third = agree('refreshed elsewhere');
isnt($third->{$_}, $second->{$_}, "refreshed elsewhere: another answer to $_") for sort keys %cached;
$session{custom}->query_safe(q{DELETE FROM orders WHERE product_id BETWEEN 20 AND 29; SELECT reco_refresh('shop')});
isnt(agree('refreshed here')->{'plpgsql match'}, $third->{'plpgsql match'}, 'refreshed here: other matches');

# Rewritten, reindexed, vacuumed, analyzed: nothing of that changes an answer.
my $steady = agree('before maintenance');
$node->safe_psql('postgres', $_) for ('VACUUM FULL shop.learned_item', 'CLUSTER shop.learned_item USING learned_item_pkey',
	'REINDEX TABLE shop.learned_item', 'VACUUM ANALYZE', 'ALTER TABLE orders ADD note text', 'CREATE INDEX ON orders (customer_id)');
is_deeply(agree('after maintenance'), $steady, 'maintenance changes no answer');

# Where rows lie is remembered by the session: all in places of others, a table cut off behind them, one made of other rows.
$node->safe_psql('postgres', q{
	CREATE TABLE kept AS TABLE shop.learned_item;
	TRUNCATE shop.learned_item;
	INSERT INTO shop.learned_item SELECT * FROM kept ORDER BY item_no DESC});
is_deeply(agree('rows in places of others'), $steady, 'where rows lie changes no answer');
$node->safe_psql('postgres', $_) for ('DELETE FROM shop.learned_item', 'VACUUM shop.learned_item');
isnt(agree('nothing left')->{$_}, $steady->{$_}, "nothing left: another answer to $_") for ('prepared reco_top_n', 'prepared basket', 'plpgsql match');
$node->safe_psql('postgres', q{INSERT INTO shop.learned_item SELECT * FROM kept WHERE item_no % 2 = 0; INSERT INTO shop.learned_item SELECT * FROM kept WHERE item_no % 2 = 1});
is_deeply(agree('rows put back'), $steady, 'rows put back: as before');
$node->safe_psql('postgres', 'UPDATE shop.learned_item SET users = users; VACUUM shop.learned_item; UPDATE shop.learned_item SET users = users WHERE item_no % 3 = 0')
  for 1 .. 2;
is_deeply(agree('rows moved'), $steady, 'rows moved: as before');

# A snapshot taken before a refresh goes on with the model it saw, whatever the session remembers of places.
for my $kind (sort keys %session)
{
	my @before = map { (ask($session{$kind}, $cached{$_}[0]))[0] } sort keys %cached;
	$session{$kind}->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM orders');
	$node->safe_psql('postgres', q{UPDATE orders SET product_id = (product_id + 7) % 75 WHERE customer_id % 2 = 0; SELECT reco_refresh('shop')});
	agree_within($kind, 'in an old snapshot', \@before) for 1, 2;
	$session{$kind}->query_safe('COMMIT');
	my @after = map { (ask($session{$kind}, $cached{$_}[0]))[0] } sort keys %cached;
	is_deeply(\@after, [ map { $node->safe_psql('postgres', $cached{$_}[1]) } sort keys %cached ], "after it: the new model, $kind plans");
	isnt("@after", "@before", "which is another, $kind plans");
	$node->safe_psql('postgres', q{UPDATE orders SET product_id = (product_id + 68) % 75 WHERE customer_id % 2 = 0; SELECT reco_refresh('shop')});
}
is_deeply(agree('orders as before'), $steady, 'orders as before: answers as before');

# The catalogue becomes a filter.
$node->safe_psql('postgres', q{
	UPDATE products SET in_stock = id % 2 = 0;
	CREATE OR REPLACE VIEW shop.items WITH (security_invoker = true) AS SELECT id AS item_id, name FROM public.products WHERE in_stock});
my $stocked = agree('catalogue replaced');
isnt($stocked->{'prepared reco_top_n'}, $steady->{'prepared reco_top_n'}, 'catalogue replaced: another list');
unlike($stocked->{'prepared reco_top_n'}, qr/^\d*[13579]\|/m, 'catalogue replaced: of what is in stock');
$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW shop.items WITH (security_invoker = true) AS
	SELECT id AS item_id, name, date '2024-01-01' + id AS released_at FROM public.products});
is_deeply(agree('catalogue with a date'), $steady, 'catalogue with a date: full again');
$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW shop.events WITH (security_invoker = true) AS
	SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, CASE product_id % 3 WHEN 0 THEN 0.2 ELSE 1 END::float8 AS weight
	FROM public.orders});
my $weighed = agree('events replaced');
isnt($weighed->{'prepared reco_top_n'}, $steady->{'prepared reco_top_n'}, 'events replaced: weights count at once');
$node->safe_psql('postgres', 'DROP VIEW shop.items');
agree('catalogue dropped');
$node->safe_psql('postgres', q{CREATE VIEW shop.items WITH (security_invoker = true) AS SELECT id AS item_id FROM public.products WHERE id < 50});
unlike(agree('catalogue made anew')->{'prepared popular'}, qr/^[567]\d\|/m, 'catalogue made anew: it counts');

# Settings.
$node->safe_psql('postgres', q{SELECT reco_configure('shop', min_match => 90, half_life => '0')});
isnt(agree('configured')->{'plpgsql match'}, $weighed->{'plpgsql match'}, 'configured: counts at once');

# Another search_path with tables of these names in it: what a model reads was settled when it was made.
$node->safe_psql('postgres', q{
	CREATE SCHEMA aside;
	CREATE TABLE aside.orders (customer_id int, product_id int, ordered_at timestamptz);
	CREATE TABLE aside.products AS TABLE public.products WITH NO DATA;
	CREATE TABLE aside.learned_item (item_id int, item_no int, neighbors bytea);
	CREATE FUNCTION aside.int8eq(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT false'});
my $settled = agree('before another search_path');
$_->query_safe('SET search_path = aside, public') for values %session;
is_deeply(agree('another search_path'), $settled, 'another search_path changes no answer');
$_->query_safe('SET search_path = aside, pg_catalog, public') for values %session;
is_deeply(agree('and before the system'), $settled, 'nor one before the system');
$_->query_safe('RESET search_path') for values %session;

# Renamed: columns and tables are followed, a model goes by its new name.
$node->safe_psql('postgres', $_) for ('ALTER TABLE orders RENAME customer_id TO client', 'ALTER TABLE orders RENAME TO sales');
is_deeply(agree('source renamed'), $settled, 'source renamed: as before');
$node->safe_psql('postgres', $_) for ('ALTER TABLE sales RENAME TO orders', 'ALTER TABLE orders RENAME client TO customer_id', 'ALTER SCHEMA shop RENAME TO store');
for my $kind (sort keys %session)
{
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[1], qr/ERROR:  42704: model "shop" does not exist/, "renamed: its old name is gone, $kind plans");
	is_deeply([ ask($session{$kind}, q{SELECT * FROM reco_top_n(5, 10, 'store')}) ], [ $settled->{'prepared reco_top_n'}, '' ], "renamed: it answers to the new one, $kind plans");
}
$node->safe_psql('postgres', 'ALTER SCHEMA store RENAME TO shop');
is_deeply(agree('renamed back'), $settled, 'renamed back: as before');

# The model dropped, made anew with the same name, then with other types, then with the first ones.
$node->safe_psql('postgres', q{SELECT reco_drop_model('shop')});
for my $kind (sort keys %session)
{
	my ($out, $err) = ask($session{$kind}, 'EXECUTE top_n(5)');
	like($err, qr/ERROR:  42704: model "shop" does not exist/, "dropped: reco_top_n says so, $kind plans");
	($out, $err) = ask($session{$kind}, 'EXECUTE door(5)');
	like($err, qr/ERROR:  3F000: schema "shop" does not exist/, "dropped: the door is gone, $kind plans");
	($out, $err) = ask($session{$kind}, 'SELECT by_number(5)');
	like($err, qr/ERROR:  42704: model "shop" does not exist/, "dropped: plpgsql says so, $kind plans");
}
$node->safe_psql('postgres', $by_number);
agree('made anew');
$node->safe_psql('postgres', q{
	SELECT reco_drop_model('shop');
	SELECT reco_create_model('shop', 'SELECT customer AS user_id, product AS item_id, ordered_at AS occurred_at FROM public.orders_by_name');
	SELECT reco_refresh('shop')});
for my $kind (sort keys %session)
{
	my ($out, $err) = ask($session{$kind}, 'EXECUTE top_n(5)');
	like($err, qr/ERROR:  42804: model "shop" has user ids of type text, not bigint/, "other types: reco_top_n says so, $kind plans");
	($out, $err) = ask($session{$kind}, 'EXECUTE alike(7)');
	like($err, qr/ERROR:  42804: model "shop" has item ids of type uuid, not bigint/, "other types: similar items say so, $kind plans");
	($out, $err) = ask($session{$kind}, 'EXECUTE door(5)');
	like($err, qr/ERROR:  (42883|0A000): /, "other types: the door does not take a number, $kind plans");
	($out, $err) = ask($session{$kind}, 'EXECUTE popular');
	is_deeply([ $out, $err ], [ $node->safe_psql('postgres', q{SELECT * FROM reco_popular(10, 'shop')}), '' ],
		"other types: popular has ids as text, $kind plans");
	($out, $err) = ask($session{$kind}, q{SELECT * FROM shop.top_n('customer 5', 10)});
	is_deeply([ $out, $err ], [ $node->safe_psql('postgres', q{SELECT * FROM shop.top_n('customer 5', 10)}), '' ],
		"other types: the new door, $kind plans");
}
$node->safe_psql('postgres', q{SELECT reco_drop_model('shop');} . $by_number);
agree('the first types again');

# Created, refreshed, asked and dropped in one transaction, again and again in one session.
for my $round (1 .. 3)
{
	my ($out, $err) = ask($session{generic}, qq{
		BEGIN;
		SELECT reco_create_model('fleeting', 'SELECT customer_id AS user_id, @{[$round == 2 ? 'product_id::text' : 'product_id']} AS item_id FROM public.orders');
		SELECT reco_refresh('fleeting') IS NOT NULL;
		SELECT count(*) FROM fleeting.top_n(5, 10);
		SELECT count(*) FROM fleeting.similar_items('7', 5);
		@{[$round == 3 ? "SELECT reco_drop_model('fleeting'); COMMIT" : 'ROLLBACK']}});
	is($err, '', "one transaction, round $round: no error");
	like($out, qr/^\s*t\n10\n5\s*$/, "one transaction, round $round: it answers");
}

# Another role in the same session: whose rights count is decided at each call.
$node->safe_psql('postgres', q{
	GRANT USAGE ON SCHEMA shop TO clerk, auditor;
	GRANT SELECT ON orders, products TO clerk;
	GRANT SELECT ON products TO auditor});
my $answer = $node->safe_psql('postgres', q{SELECT * FROM reco_top_n(5, 10, 'shop')});
for my $kind (sort keys %session)
{
	for my $statement ('EXECUTE top_n(5)', 'EXECUTE door(5)')
	{
		for my $round (1, 2)
		{
			$session{$kind}->query_safe('SET ROLE clerk');
			is_deeply([ ask($session{$kind}, $statement) ], [ $answer, '' ], "$statement as a reader, $kind plans, round $round");
			$session{$kind}->query_safe('SET ROLE auditor');
			my ($out, $err) = ask($session{$kind}, $statement);
			is($out, '', "$statement without a right: no row, $kind plans, round $round");
			like($err, qr/ERROR:  42501: permission denied for table orders/, "$statement without a right: refused, $kind plans, round $round");
			$session{$kind}->query_safe('RESET ROLE');
			is_deeply([ ask($session{$kind}, $statement) ], [ $answer, '' ], "$statement as oneself again, $kind plans, round $round");
		}
	}
	$session{$kind}->query_safe('SET ROLE clerk');
	$node->safe_psql('postgres', 'REVOKE SELECT ON orders FROM clerk');
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[1], qr/permission denied for table orders/, "a right that is taken away is gone at once, $kind plans");
	$node->safe_psql('postgres', 'GRANT SELECT ON orders TO clerk');
	is_deeply([ ask($session{$kind}, 'EXECUTE top_n(5)') ], [ $answer, '' ], "and given back at once, $kind plans");
	$node->safe_psql('postgres', 'REVOKE USAGE ON SCHEMA shop FROM clerk');
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[1], qr/permission denied for schema shop/, "and so is that to the schema, $kind plans");
	$node->safe_psql('postgres', 'GRANT USAGE ON SCHEMA shop TO clerk');

	# The rights to what was learned: to columns only, with policies, none.
	$node->safe_psql('postgres', q{REVOKE SELECT ON shop.learned_item FROM PUBLIC;
		GRANT SELECT (item_id, item_no, neighbors, users, popularity_log2, recent_log2, trending_rank) ON shop.learned_item TO clerk});
	is_deeply([ ask($session{$kind}, 'EXECUTE top_n(5)') ], [ $answer, '' ], "a right to the columns does, $kind plans");
	$node->safe_psql('postgres', 'REVOKE ALL ON shop.learned_item FROM clerk');
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[1], qr/permission denied for table learned_item/, "none does not, $kind plans");
	$node->safe_psql('postgres', 'GRANT SELECT ON shop.learned_item TO PUBLIC; ALTER TABLE shop.learned_item ENABLE ROW LEVEL SECURITY');
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[0], qr/^(?:\d+\|-\d+\|\|\|new\n?)+$/, "a policy that shows nothing of it holds, $kind plans");
	$node->safe_psql('postgres', 'ALTER TABLE shop.learned_item DISABLE ROW LEVEL SECURITY');
	is_deeply([ ask($session{$kind}, 'EXECUTE top_n(5)') ], [ $answer, '' ], "and without it all is there, $kind plans");
	$session{$kind}->query_safe('RESET ROLE');
}

# The source dropped and made anew under the model's feet.
$node->safe_psql('postgres', q{DROP VIEW orders_by_name; CREATE TABLE orders_kept AS TABLE orders});
my ($status, $out, $err) = $node->psql('postgres', 'DROP TABLE orders', extra_params => [ '-v', 'VERBOSITY=verbose' ]);
like($err, qr/ERROR:  2BP01: .*\nDETAIL:  view shop.events depends on table orders/, 'a source that a model needs cannot be dropped');
$node->safe_psql('postgres', 'SET client_min_messages = error; DROP TABLE orders CASCADE');
for my $kind (sort keys %session)
{
	like((ask($session{$kind}, 'EXECUTE top_n(5)'))[1], qr/ERROR:  42P01: model "shop" has no view "events"/, "source dropped: says what is missing, $kind plans");
}
$node->safe_psql('postgres', q{CREATE VIEW shop.events WITH (security_invoker = true) AS
	SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM public.orders_kept});
agree('source made anew');

# The extension dropped and created in a session that has its library loaded.
$node->safe_psql('postgres', 'SET client_min_messages = error; DROP EXTENSION reco CASCADE; DROP SCHEMA shop CASCADE; CREATE EXTENSION reco;
	ALTER TABLE orders_kept RENAME TO orders;' . $by_number);
agree('extension made anew');

# A session that asks of very many models keeps so many plans and no more, and no more memory however long it goes on.
$node->safe_psql('postgres', q{
	DO $$ BEGIN FOR m IN 1 .. 80 LOOP
		PERFORM reco_create_model('m' || m, 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at FROM public.orders WHERE customer_id < 40',
			'SELECT id AS item_id, name FROM public.products');
		PERFORM reco_configure('m' || m, similarity => 'cosine');
		PERFORM reco_refresh('m' || m);
	END LOOP; END $$;
	CREATE FUNCTION ask_all() RETURNS text LANGUAGE plpgsql AS $$
	DECLARE answer text := '';
	BEGIN
		FOR m IN 1 .. 80 LOOP
			answer := answer || concat_ws(' ', (SELECT array_agg(t) FROM reco_top_n(5, NULL, 'm' || m) t), (SELECT array_agg(t) FROM reco_complete('{1,2}'::bigint[], 5, 'm' || m) t),
				(SELECT array_agg(t) FROM reco_similar_items(7, 5, 'm' || m) t), (SELECT array_agg(t) FROM reco_popular(3, 'm' || m) t), (SELECT array_agg(t) FROM reco_trending(3, 'm' || m) t),
				reco_match(5, 7, 'm' || m), (SELECT array_agg(t) FROM reco_why_not(5, 7, 'm' || m) t), (SELECT array_agg(t) FROM reco_rank(5, '{1,7,9}'::bigint[], 'm' || m) t));
		END LOOP;
		RETURN md5(answer);
	END $$});
my $kept = q{SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'CachedPlanSource'};
my $held = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
my $said = $session{generic}->query_safe('SELECT ask_all()');
my ($plans, $bytes) = map { $session{generic}->query_safe($_) } ($kept, $held);
cmp_ok($plans, '>', 500, 'very many models: plans are kept');
cmp_ok($plans, '<', 600, 'very many models: not for ever more');
is($session{generic}->query_safe('SELECT ask_all()'), $said, "very many models: the same answers, round $_") for 1 .. 3;
cmp_ok($session{generic}->query_safe($held), '<', $bytes + 1024 * 1024, 'very many models: no more memory');
is($session{generic}->query_safe($kept), $plans, 'very many models: no more plans');

$_->quit for values %session;
log_holds_no_fault($node, 'the log holds no fault');
$node->stop;
done_testing();
