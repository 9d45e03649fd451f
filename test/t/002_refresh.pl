# A refresh and everybody else: two at once, readers meanwhile, cancelled, out of memory, killed.
#
# The events of the model "shop" run through a function that stops in the middle of reading while an advisory lock is
# held here, in sessions that ask for it; a row lock on learned_item stops a refresh in the middle of writing.  What is
# tested in between therefore does not depend on how fast the machine is.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(crash_of log_holds_no_fault scheduled);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nrestart_after_crash = on\nautovacuum = off");
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE TABLE orders (customer_id int, product_id int, ordered_at timestamptz, weight float8);
	CREATE INDEX ON orders (customer_id);
	INSERT INTO orders
		SELECT c, (c % 6) + 6 * ((c * 7 + n * n) % 10), timestamptz '2024-01-01' + n * interval '9 days' + c * interval '1 hour', 1
		FROM generate_series(1, 300) c, generate_series(1, 8) n
		UNION ALL
		SELECT c, (c * 11 + n * 17) % 60, timestamptz '2024-02-01' + n * interval '1 day', 0.5
		FROM generate_series(1, 300) c, generate_series(1, 4) n;
	CREATE FUNCTION pause(customer int) RETURNS boolean LANGUAGE plpgsql AS $$
	BEGIN
		IF customer = 150 AND current_setting('test.pause', true) = 'on' THEN
			PERFORM pg_advisory_lock(1), pg_advisory_unlock(1);
		END IF;
		RETURN true;
	END $$;
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, weight
		FROM public.orders WHERE public.pause(customer_id)');
	SELECT reco_configure('shop', similarity => 'cooccurrence');
	SELECT reco_refresh('shop');
	ANALYZE;
});

my $answers = q{
	SELECT c, t.* FROM generate_series(1, 310) c CROSS JOIN LATERAL reco_top_n(c, 10, 'shop') WITH ORDINALITY t;
	SELECT * FROM shop.similar ORDER BY item_id, rank; SELECT * FROM shop.popular ORDER BY item_id;
	SELECT p, shop.match(5, p) FROM generate_series(0, 65) p; SELECT * FROM shop.model};

sub answers { return $node->safe_psql('postgres', $answers); }

# New orders that change every neighbour list; each call is different.
my $wave = 0;
my $orders = q{INSERT INTO orders SELECT c, (c * %d + n) %% 60, timestamptz '2024-05-01' + %d * interval '1 day', 1
	FROM generate_series(1, 300) c, generate_series(1, 3) n};
sub new_orders { $wave++; return sprintf($orders, 6 + $wave, $wave); }

sub session
{
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	return ($session, $session->query('SELECT pg_backend_pid()') + 0);
}

# Sends a statement without waiting for its end; answer_of() gives its output and its errors.
sub send_off
{
	my ($session, $sql) = @_;
	$session->{stderr} = ''; # what fails at once has failed before anybody asks for the answer
	$session->query_until(qr/sent off/, "\\echo sent off\n$sql;\n");
}

sub answer_of
{
	my ($session) = @_;
	my $out = $session->query('SELECT');
	my $err = $session->{stderr};
	$session->{stderr} = '';
	$out =~ s/^\s+|\s+$//g;
	return ($out, $err);
}

# Waits until a backend waits for what it is meant to wait for.
sub waits
{
	my ($pid, $type, $event, $name) = @_;
	ok( $node->poll_query_until('postgres', qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND state = 'active'
			AND wait_event_type = '$type' AND wait_event = '$event'}),
		$name);
}

# A session that holds refreshes back in the middle of reading, or in the middle of writing, until let_go().
sub hold_reading
{
	my ($session) = session();
	$session->query_safe('SELECT pg_advisory_lock(1)');
	return $session;
}

sub hold_writing
{
	my ($session) = session();
	$session->query_safe('BEGIN; SELECT item_id FROM shop.learned_item WHERE item_id = 30 FOR UPDATE');
	return $session;
}

sub let_go { $_[0]->quit; }

# No lock, no prepared transaction and no temporary file is left by any session but the one that asks.
sub nothing_left
{
	my ($name) = @_;
	is( $node->safe_psql('postgres', q{SELECT count(*) FROM pg_locks l WHERE pid <> pg_backend_pid()
			AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'shop'::regnamespace)}),
		0, "$name: no lock on the model is left");
}

# A refresh works and leaves a model that answers: after whatever happened before.
sub next_refresh_works
{
	my ($name) = @_;
	my $before = answers();
	is($node->safe_psql('postgres', new_orders() . q{; SELECT users FROM reco_refresh('shop')}), 300, "$name: the next refresh works");
	isnt(answers(), $before, "$name: and learns");
	model_is_whole($name);
}

# What is stored of a model fits together, and is what a refresh learns when it has learned nothing before.
sub model_is_whole
{
	my ($name) = @_;
	is( $node->safe_psql('postgres', q{
			SELECT (SELECT count(*) FROM shop.model),
				(SELECT neighbor_pairs FROM shop.model) - (SELECT count(*) FROM shop.similar),
				(SELECT items FROM shop.model) - (SELECT count(*) FROM shop.learned_item),
				(SELECT count(*) FROM shop.learned_item WHERE item_no >= (SELECT item_slots FROM shop.model)),
				(SELECT events FROM shop.model) - (SELECT count(*) FROM orders)}),
		'1|0|0|0|0', "$name: the model is whole");
	is( $node->safe_psql('postgres', q{
			SELECT reco_create_model('fresh', 'SELECT customer_id AS user_id, product_id AS item_id, ordered_at AS occurred_at, weight FROM public.orders');
			SELECT reco_configure('fresh', similarity => 'cooccurrence');
			SELECT reco_refresh('fresh') IS NOT NULL;
			SELECT count(*) FROM (
				(TABLE fresh.popular EXCEPT TABLE shop.popular) UNION ALL (TABLE shop.popular EXCEPT TABLE fresh.popular)) p;
			SELECT count(*) FROM (
				(SELECT item_id, similar_item_id, similarity, support FROM fresh.similar
				 EXCEPT SELECT item_id, similar_item_id, similarity, support FROM shop.similar)
				UNION ALL
				(SELECT item_id, similar_item_id, similarity, support FROM shop.similar
				 EXCEPT SELECT item_id, similar_item_id, similarity, support FROM fresh.similar)) s;
			SELECT reco_drop_model('fresh')}),
		"\n\nt\n0\n0\n", "$name: it is what a model learns that starts anew");
}

model_is_whole('first refresh');


# Two refreshes at once: the second waits, then both have succeeded.

{
	my ($first, $first_pid) = session();
	my ($second, $second_pid) = session();
	my $hold = hold_reading();

	$first->query_safe(new_orders());
	my $before = answers();
	$first->query_safe(q{SET test.pause = on});
	send_off($first, q{SELECT events FROM reco_refresh('shop')});
	waits($first_pid, 'Lock', 'advisory', 'the first refresh is in the middle of reading');
	send_off($second, q{SELECT events FROM reco_refresh('shop')});
	waits($second_pid, 'Lock', 'relation', 'the second waits');
	is( $node->safe_psql('postgres', qq{SELECT l.relation::regclass, l.mode, pg_blocking_pids($second_pid) = ARRAY[$first_pid]
			FROM pg_locks l WHERE pid = $second_pid AND NOT granted}),
		'shop.model|ShareUpdateExclusiveLock|t', 'for the first, on the table of the model');
	is(answers(), $before, 'readers wait for neither');
	$node->safe_psql('postgres', new_orders());
	let_go($hold);

	my $all = $node->safe_psql('postgres', 'SELECT count(*) FROM orders');
	is_deeply([ answer_of($first) ], [ $all - 900, '' ], 'the first succeeds with the events of its snapshot');
	is_deeply([ answer_of($second) ], [ $all, '' ], 'the second succeeds, with what came while it waited');
	model_is_whole('two refreshes');
	isnt(answers(), $before, 'two refreshes: something was learned');
	nothing_left('two refreshes');
	$_->quit for ($first, $second);
}

# A model is configured while a refresh waits: the settings as they are then count.
{
	my ($first, $first_pid) = session();
	my ($second, $second_pid) = session();
	my ($neighbors, $keep) = split /\|/, $node->safe_psql('postgres', 'SELECT coalesce(neighbors, 100), keep FROM shop.model');
	$first->query_safe(q{BEGIN; SELECT reco_refresh('shop')});
	send_off($second, q{SELECT neighbor_pairs FROM reco_refresh('shop')});
	waits($second_pid, 'Lock', 'relation', 'a refresh waits for one that has not committed');
	$first->query_safe(q{SELECT reco_configure('shop', neighbors => 3, keep => 'source'); COMMIT});
	my ($pairs, $err) = answer_of($second);
	is($err, '', 'it succeeds');
	is($pairs, $node->safe_psql('postgres', 'SELECT count(*) FROM shop.similar'), 'and wrote what it says');
	cmp_ok($pairs, '<=', 180, 'with the new settings');
	$node->safe_psql('postgres', "SELECT reco_configure('shop', neighbors => $neighbors, keep => '$keep'); SELECT reco_refresh('shop')");
	model_is_whole('configured meanwhile');
	$_->quit for ($first, $second);
}

# A refresh that waits longer than lock_timeout.
{
	my ($first) = session();
	my ($second) = session();
	my $before = answers();
	$first->query_safe(q{BEGIN; SELECT reco_refresh('shop')});
	$second->query_safe(q{SET lock_timeout = '100ms'});
	send_off($second, q{SELECT events FROM reco_refresh('shop')});
	my ($out, $err) = answer_of($second);
	like($err, qr/ERROR:  55P03: .*lock timeout/, 'lock_timeout ends the waiting');
	$first->query_safe('ROLLBACK');
	is(answers(), $before, 'lock_timeout: the old model answers');
	send_off($second, q{SELECT users FROM reco_refresh('shop')});
	is_deeply([ answer_of($second) ], [ 300, '' ], 'lock_timeout: the same session refreshes later');
	$_->quit for ($first, $second);
}

# A refresh that waits while the model is dropped.
{
	my ($first) = session();
	my ($drop, $drop_pid) = session();
	my ($second, $second_pid) = session();
	$node->safe_psql('postgres', q{SELECT reco_create_model('brief', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders');
		SELECT reco_refresh('brief')});
	$first->query_safe(q{BEGIN; SELECT reco_refresh('brief')});
	send_off($drop, q{SELECT reco_drop_model('brief')});
	waits($drop_pid, 'Lock', 'relation', 'a drop waits for a refresh');
	send_off($second, q{SELECT events FROM reco_refresh('brief')});
	waits($second_pid, 'Lock', 'relation', 'and another refresh for the drop');
	$first->query_safe('COMMIT');
	my ($out, $err) = answer_of($drop);
	is($err, '', 'the model is dropped');
	($out, $err) = answer_of($second);
	like($err, qr/ERROR:  42704: .*model "brief" (was dropped or renamed while this refresh waited|does not exist)/, 'the refresh that waited says so');
	$_->quit for ($first, $drop, $second);
}


# Readers while a refresh is open, and after it was rolled back.

{
	my ($writer) = session();
	my ($reader) = session();
	my $before = answers();
	my $seen = $reader->query_safe($answers);
	$writer->query_safe('BEGIN; ' . new_orders());
	$writer->query_safe(q{SELECT reco_refresh('shop')});
	my $new = $writer->query_safe($answers);
	isnt($new, $before, 'the transaction of a refresh sees the new model');
	is(answers(), $before, 'others see the old one, new sessions');
	is($reader->query_safe($answers), $seen, 'and open ones');
	$writer->query_safe('SAVEPOINT s; ' . new_orders() . q{; SELECT reco_refresh('shop'); ROLLBACK TO s});
	is($writer->query_safe($answers), $new, 'ROLLBACK TO SAVEPOINT restores the model of before the savepoint');
	$writer->query_safe('ROLLBACK');
	is($writer->query_safe($answers), $before, 'ROLLBACK restores the old one');
	is(answers(), $before, 'for all');
	next_refresh_works('rolled back');
	$_->quit for ($writer, $reader);
}

# One snapshot, one version.
{
	my ($reader) = session();
	$reader->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
	my $before = $reader->query_safe($answers);
	next_refresh_works('repeatable read');
	is($reader->query_safe($answers), $before, 'a REPEATABLE READ reader sees one version across a refresh');
	$node->safe_psql('postgres', q{DELETE FROM orders WHERE product_id = 7; SELECT reco_refresh('shop')});
	is($reader->query_safe($answers), $before, 'also across one that removes an item');
	$reader->query_safe('COMMIT');
	is($reader->query_safe($answers), answers(), 'and the new one when it is done');
	unlike($reader->query_safe(q{SELECT item_id || '!' FROM reco_top_n(1, NULL, 'shop')}), qr/^7!/m, 'without the item');
	send_off($reader, q{BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM shop.model});
	answer_of($reader);
	$node->safe_psql('postgres', new_orders() . q{; SELECT reco_refresh('shop')});
	send_off($reader, q{SELECT events FROM reco_refresh('shop')});
	my ($out, $err) = answer_of($reader);
	like($err, qr/ERROR:  40001: /, 'a REPEATABLE READ refresh over a newer one fails to serialize');
	$reader->query_safe('ROLLBACK');
	model_is_whole('failed to serialize');
	$reader->quit;
}

# Readers and refreshes side by side for a while: no error, no list that is not full.
{
	my $reader = $node->basedir . '/reader.sql';
	my $refresher = $node->basedir . '/refresher.sql';
	append_to_file($reader, q{\set user random(1, 320)
		SELECT 1 / (count(*) = 10 AND count(DISTINCT item_id) = 10)::int FROM reco_top_n(:user, 10, 'shop');
		SELECT 1 / (count(*) > 0)::int FROM shop.similar;
		SELECT 1 / (count(*) = 5)::int FROM shop.popular(5);
	});
	append_to_file($refresher, q{\set user random(1, 300)
		\set item random(0, 80)
		INSERT INTO orders VALUES (:user, :item, '2024-07-01', 1);
		SELECT users FROM reco_refresh('shop');
	});
	$node->command_checks_all(
		[ 'pgbench', '-n', '-c', '4', '-j', '2', '-T', '3', '-f', "$reader\@3", '-f', "$refresher\@1", 'postgres' ],
		0, [qr/number of transactions actually processed: [1-9]/],
		[qr/^(?!.*(ERROR|aborted))/s], 'readers and refreshes side by side');
	model_is_whole('side by side');
	cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM orders WHERE ordered_at = '2024-07-01'}), '>', 1, 'several refreshes ran');
}


# Cancelled, in each of the phases.

# Stops a refresh where it is held back, with pg_cancel_backend, statement_timeout or pg_terminate_backend.
sub stopped
{
	my ($where, $how) = @_;
	my $name = "$how while $where";
	my ($session, $pid) = session();
	my $before = answers();
	my $hold = $where eq 'reading' ? hold_reading() : hold_writing();
	$session->query_safe('SET test.pause = on') if $where eq 'reading';
	$session->query_safe(q{SET statement_timeout = '5s'}) if $how eq 'statement_timeout';
	$node->safe_psql('postgres', new_orders());
	my $with_orders = answers();
	send_off($session, q{SELECT events FROM reco_refresh('shop')});
	waits($pid, 'Lock', $where eq 'reading' ? 'advisory' : 'transactionid', "$name: it is $where");
	is(answers(), $with_orders, "$name: the old model answers meanwhile");
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)") if $how eq 'cancel';
	my ($out, $err) = answer_of($session);
	is($out, '', "$name: no report");
	like($err, qr/ERROR:  57014: .*canceling statement due to @{[$how eq 'cancel' ? 'user request' : 'statement timeout']}/,
		"$name: says so");
	let_go($hold);
	is(answers(), $with_orders, "$name: the old model answers");
	is($session->query_safe('SELECT current_user = session_user, current_setting($$search_path$$)'),
		't|"$user", public', "$name: the session is as it was");
	$session->query_safe('SET test.pause = off; SET statement_timeout = 0');
	is($session->query_safe(q{SELECT users FROM reco_refresh('shop')}), 300, "$name: the same session refreshes");
	isnt(answers(), $with_orders, "$name: and learns what came");
	model_is_whole($name);
	nothing_left($name);
	$session->quit;
}

stopped('reading', 'cancel');
stopped('reading', 'statement_timeout');
stopped('writing', 'cancel');
stopped('writing', 'statement_timeout');


# In the middle of learning: enough events for that to take a while.

$node->safe_psql('postgres', q{
	CREATE TABLE visits AS
		SELECT u AS user_id, ((u * 7919 + n * n * 31 + n * 17) % 3000) AS item_id
		FROM generate_series(1, 3000) u, generate_series(1, 500) n;
	SELECT reco_create_model('crowd', 'SELECT user_id, item_id FROM public.visits');
	SELECT reco_create_model('big', 'SELECT user_id, item_id FROM public.visits');
	SELECT reco_configure(m, similarity => 'cooccurrence') FROM (VALUES ('crowd'), ('big')) v(m);
	CREATE TABLE first_visits AS SELECT * FROM visits WHERE user_id <= 60;
	ANALYZE;
	CREATE OR REPLACE VIEW crowd.events WITH (security_invoker = true) AS SELECT user_id, item_id FROM public.first_visits;
	SELECT reco_refresh('crowd');
	CREATE OR REPLACE VIEW crowd.events WITH (security_invoker = true) AS
		SELECT user_id, item_id FROM public.visits UNION ALL SELECT 150, 1 WHERE public.pause(150);
});
my $crowd = q{SELECT u, t.* FROM generate_series(1, 20) u CROSS JOIN LATERAL reco_top_n(u, 10, 'crowd') WITH ORDINALITY t;
	SELECT * FROM crowd.similar ORDER BY item_id, rank; SELECT * FROM crowd.model};

{
	my ($session, $pid) = session();
	my $before = $node->safe_psql('postgres', $crowd);
	my $hold = hold_reading();
	$session->query_safe(q{SET test.pause = on; SET maintenance_work_mem = '256MB'});
	send_off($session, q{SELECT events FROM reco_refresh('crowd')});
	waits($pid, 'Lock', 'advisory', 'a large refresh has read nearly all');
	let_go($hold);
	ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM reco_progress WHERE pid = $pid AND phase NOT IN ('wait', 'read')"), 'it is computing when it is cancelled');
	my ($before_it) = scheduled($pid);
	kill INT => $pid;
	my ($out, $err) = answer_of($session);
	like($err, qr/ERROR:  57014: .*canceling statement due to user request/, 'cancelled while learning');
	# Counted in the time of the processor that it had, which does not depend on what else runs.
	my ($after_it) = scheduled($pid);
	cmp_ok(($after_it // 0) - ($before_it // 0), '<=', 0.5, 'at once');
	is($node->safe_psql('postgres', $crowd), $before, 'cancelled while learning: the old model answers');
	$session->quit;
}

# Not enough memory for what does not go through files, as a refresh does (008_memory.pl).
{
	my $evaluate = q{SELECT count(*) FROM reco_evaluate('crowd', 10, split => 'users')};
	my ($status, $out, $err) = $node->psql('postgres', "SET maintenance_work_mem = '1MB'; $evaluate", extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	like($err, qr/ERROR:  53200: evaluation of model "crowd" needs more memory than maintenance_work_mem allows\n/, 'too little memory: says which setting');
	like($err, qr/DETAIL:  It holds \d+ MB, asked for [1-9]\d* MB more, and may use 1 MB\./, 'too little memory: says how much');
	like($err, qr/HINT:  .*maintenance_work_mem.* (\d+) MB/, 'too little memory: says what to do');

	# Following the hint leads there, in a few steps.
	my ($megabytes, $steps) = (1, 0);
	while ($err =~ /to (\d+) MB/ && $steps++ < 12)
	{
		cmp_ok($1, '>', $megabytes, 'the hint names more');
		$megabytes = $1;
		($status, $out, $err) = $node->psql('postgres', "SET maintenance_work_mem = '${megabytes}MB'; $evaluate");
	}
	is($status, 0, "with what the hint says ($megabytes MB after $steps steps) it works");
}

# A source that fails in the middle.
{
	my $before = answers();
	$node->safe_psql('postgres', q{CREATE OR REPLACE FUNCTION pause(customer int) RETURNS boolean LANGUAGE plpgsql AS $$
		BEGIN
			IF customer = 150 AND current_setting('test.pause', true) = 'fail' THEN RAISE EXCEPTION 'the till is closed'; END IF;
			IF customer = 150 AND current_setting('test.pause', true) = 'on' THEN PERFORM pg_advisory_lock(1), pg_advisory_unlock(1); END IF;
			RETURN true;
		END $$});
	my ($session) = session();
	$session->query_safe(new_orders());
	my $with_orders = answers();
	$session->query_safe('SET test.pause = fail');
	send_off($session, q{SELECT reco_refresh('shop')});
	my ($out, $err) = answer_of($session);
	like($err, qr/ERROR:  P0001: the till is closed/, 'an error of the source is the error of the refresh');
	is(answers(), $with_orders, 'source failed: the old model answers');
	send_off($session, q{DO $$ BEGIN PERFORM reco_refresh('shop'); EXCEPTION WHEN OTHERS THEN NULL; END $$; SET test.pause = off; SELECT users FROM reco_refresh('shop')});
	is_deeply([ answer_of($session) ], [ 300, '' ], 'source failed: caught, and refreshed in the same session');
	model_is_whole('source failed');
	nothing_left('source failed');
	$session->quit;
}


# Killed in the middle: the server comes back, with the old model.

for my $where ('reading', 'writing')
{
	my ($session, $pid) = session();
	my $hold = $where eq 'reading' ? hold_reading() : hold_writing();
	$node->safe_psql('postgres', new_orders() . '; CHECKPOINT');
	my $before = answers();
	$session->query_safe('SET test.pause = on') if $where eq 'reading';
	send_off($session, q{SELECT events FROM reco_refresh('shop')});
	waits($pid, 'Lock', $where eq 'reading' ? 'advisory' : 'transactionid', "a refresh is $where");
	ok(crash_of($node, sub { kill KILL => $pid }), "killed while $where: the server comes back");
	eval { $session->quit };
	eval { $hold->quit };
	is(answers(), $before, "killed while $where: the old model answers");
	next_refresh_works("killed while $where");
}

# The server is killed right after a refresh has committed: the new model answers.
{
	my $after = $node->safe_psql('postgres', new_orders() . q{; SELECT reco_refresh('shop') IS NOT NULL}) . answers();
	$node->stop('immediate');
	$node->start;
	is('t' . answers(), $after, 'a crash after commit: the new model answers');
	model_is_whole('a crash after commit');
}

log_holds_no_fault($node, 'the log holds no fault', but => qr/terminated by signal 9/);

$node->stop;
done_testing();
