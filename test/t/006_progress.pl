# The view reco_progress: what other sessions see of a refresh while it runs, and that nothing is seen afterwards, however it ended.
#
# As in 002_refresh.pl the events run through a function that stops in the middle of reading while an advisory lock is
# held here, and a row lock on learned_item stops a refresh in the middle of writing.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "timezone = 'UTC'\nautovacuum = off");
$node->start;

$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE ROLE merchant LOGIN; CREATE ROLE partner LOGIN; CREATE ROLE clerk LOGIN; CREATE ROLE auditor LOGIN;
	GRANT merchant TO partner; GRANT pg_read_all_stats TO auditor;
	GRANT CREATE ON DATABASE postgres TO merchant; GRANT CREATE ON SCHEMA public TO merchant;
	CREATE DATABASE elsewhere;
	SET ROLE merchant;
	CREATE TABLE orders AS
		SELECT c AS customer_id, (c * 7 + n * n) % 60 AS product_id FROM generate_series(1, 300) c, generate_series(1, 8) n ORDER BY c;
	CREATE FUNCTION pause(customer int) RETURNS boolean LANGUAGE plpgsql COST 1 AS $$
	BEGIN
		IF customer = 5 AND current_setting('test.pause', true) = 'caught' THEN
			-- an error caught inside of the refresh, which goes on
			BEGIN
				PERFORM 1 / 0;
			EXCEPTION WHEN division_by_zero THEN
				NULL;
			END;
		END IF;
		IF customer = 150 AND current_setting('test.pause', true) = 'fail' THEN RAISE EXCEPTION 'the till is closed'; END IF;
		IF customer = 150 AND current_setting('test.pause', true) IN ('on', 'caught') THEN
			PERFORM pg_advisory_lock(1), pg_advisory_unlock(1);
		END IF;
		RETURN true;
	END $$;
	CREATE FUNCTION refresh_and_catch() RETURNS text LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM reco_refresh('shop');
		RETURN 'refreshed';
	EXCEPTION WHEN others THEN
		RETURN sqlerrm;
	END $$;
	SELECT reco_create_model('shop', 'SELECT customer_id AS user_id, CASE WHEN public.pause(customer_id) THEN product_id END AS item_id
		FROM public.orders');
	SELECT reco_create_model('ridge', 'SELECT customer_id AS user_id, product_id AS item_id FROM public.orders');
	SELECT reco_configure('ridge', similarity => 'ridge');
	SELECT reco_refresh('shop');
	RESET ROLE;
	ANALYZE orders;
});
$node->safe_psql('elsewhere', 'CREATE EXTENSION reco');

sub session
{
	my ($role) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-U', $role // 'merchant' ]);
	return ($session, $session->query('SELECT pg_backend_pid()') + 0);
}

# Sends a statement without waiting for its end; answer_of() gives its output and its errors.
sub send_off
{
	my ($session, $sql) = @_;
	$session->query_until(qr/sent off/, "\\echo sent off\n$sql;\n");
}

sub answer_of
{
	my ($session) = @_;
	$session->{stderr} = '';
	my $out = $session->query('SELECT');
	my $err = $session->{stderr};
	$session->{stderr} = '';
	$out =~ s/^\s+|\s+$//g;
	return ($out, $err);
}

sub waits
{
	my ($pid, $event) = @_;
	$node->poll_query_until('postgres',
		qq{SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND state = 'active' AND wait_event_type = 'Lock' AND wait_event = '$event'})
	  or die "no wait for $event";
}

sub hold_reading
{
	my ($session) = session('postgres');
	$session->query_safe('SELECT pg_advisory_lock(1)');
	return $session;
}

# Of sixty items of equal popularity, the writing stops at one in the middle.
sub hold_writing
{
	my ($session) = session();
	$session->query_safe('BEGIN; SELECT item_id FROM shop.learned_item WHERE item_id = 30 FOR UPDATE');
	return $session;
}

sub seen { return $node->safe_psql('postgres', $_[0] // 'SELECT count(*) FROM reco_progress'); }

is(seen(), 0, 'where nothing runs, nothing is seen');


# In the middle of reading, while another one waits, and of writing.

{
	my ($first, $first_pid) = session();
	my ($second, $second_pid) = session();
	my $hold = hold_reading();
	my $held_rows = hold_writing();
	my $begun = seen('SELECT clock_timestamp()');
	$first->query_safe('SET test.pause = on');
	send_off($first, q{SELECT users FROM reco_refresh('shop')});
	waits($first_pid, 'advisory');
	is( seen(q{SELECT pid, database, model, phase, total, percent = round((100.0 * done / total)::numeric, 1)::float8, workers FROM reco_progress}),
		"$first_pid|postgres|shop|read|2400|t|0", 'seen while it reads: the total is what the planner expects');
	# customers come in order, eight events each: 149 of them were read, and told of by the 64th
	my $done = seen('SELECT done FROM reco_progress');
	cmp_ok($done, '<=', 149 * 8, 'not more is done than was read');
	cmp_ok($done, '>', 149 * 8 * 63 / 64 - 1, 'and nearly all of it is told');
	is( seen(qq{SELECT elapsed > interval '0', elapsed <= clock_timestamp() - '$begun'::timestamptz FROM reco_progress}),
		't|t', 'it knows since when');
	is(seen('SELECT count(*) FROM reco_progress()'), 1, 'the function says the same');
	is(seen('SELECT count(*) FROM unnest(ARRAY[$$VACUUM$$, $$ANALYZE$$, $$CLUSTER$$, $$CREATE INDEX$$, $$BASEBACKUP$$, $$COPY$$]) x,
		pg_stat_get_progress_info(x)'),
		0, q{none of PostgreSQL's own views takes it for one of its commands});

	send_off($second, q{SELECT users FROM reco_refresh('shop')});
	waits($second_pid, 'relation');
	is(seen("SELECT phase, done, total IS NULL, percent IS NULL FROM reco_progress WHERE pid = $second_pid"), 'wait|0|t|t', 'the second one is seen to wait');
	is(seen(), 2, 'beside the first');

	# A reader without rights, one who shares the role, one who may read all statistics, one of another database.
	my $details = q{SELECT num_nonnulls(model, phase, done, total, percent, elapsed, expected_end, workers) FROM reco_progress WHERE pid = } . $first_pid;
	my $names = "SELECT pid, database FROM reco_progress WHERE pid = $first_pid";
	is($node->safe_psql('postgres', $details, extra_params => [ '-U', 'clerk' ]), 0, 'without rights: no details');
	is($node->safe_psql('postgres', $names, extra_params => [ '-U', 'clerk' ]), "$first_pid|postgres", 'without rights: that it runs, and where');
	cmp_ok($node->safe_psql('postgres', $details, extra_params => [ '-U', $_ ]), '>=', 7, "$_ sees details") for ('merchant', 'partner', 'auditor');
	is( $node->safe_psql('elsewhere', "SELECT database, model IS NULL, phase FROM reco_progress WHERE pid = $first_pid"),
		'postgres|t|read', 'from another database: no name of a model');

	$hold->quit;
	waits($first_pid, 'transactionid');
	is(seen("SELECT model, phase, total, done < 60, percent < 100 FROM reco_progress WHERE pid = $first_pid"), 'shop|write|60|t|t', 'seen while it writes');
	is(seen("SELECT expected_end > clock_timestamp() - interval '1 second' FROM reco_progress WHERE pid = $first_pid"), 't', 'with an end in sight');
	$held_rows->quit;
	is_deeply([ answer_of($first) ], [ 300, '' ], 'it succeeds');
	is_deeply([ answer_of($second) ], [ 300, '' ], 'and the second');
	is(seen(), 0, 'after commit it is gone');
	$first->query_safe(q{BEGIN; SELECT reco_refresh('shop')});
	is(seen(), 0, 'even before commit: nothing is left to do');
	$first->query_safe('ROLLBACK');
	$_->quit for ($first, $second);
}


# Seen no more after cancel, an error, an error that is caught, ROLLBACK TO, and the end of the session.

sub gone
{
	my ($name, $how, $stop, $wanted) = @_;
	my ($session, $pid) = session();
	my $hold = hold_reading();
	$session->query_safe('BEGIN; SAVEPOINT s; SET test.pause = on');
	send_off($session, $how);
	waits($pid, 'advisory');
	is(seen("SELECT phase FROM reco_progress WHERE pid = $pid"), 'read', "$name: it is seen");
	$node->safe_psql('postgres', sprintf($stop, $pid));
	if ($stop =~ /terminate/)
	{
		$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die;
		is(seen(), 0, "$name: then it is gone");
		return $hold->quit;
	}
	my ($out, $err) = answer_of($session);
	like($out . $err, $wanted, "$name: it ended so");
	is(seen(), 0, "$name: then it is gone");
	# What learns outside of a refresh says nothing of one.
	$session->query_safe('ROLLBACK TO s; SET test.pause = off') if $how !~ /catch/;
	$session->query_safe(q{SELECT count(*) FROM reco_neighbors((SELECT reco_matrix(customer_id, product_id, 1) FROM orders))});
	is(seen(), 0, "$name: nor comes back with what the session does next");
	$session->query_safe('COMMIT');
	$session->query_safe(q{SET test.pause = off; SELECT reco_refresh('shop')});
	$hold->quit;
	$session->quit;
}

my $cancel = 'SELECT pg_cancel_backend(%s)';
gone('cancelled', q{SELECT reco_refresh('shop')}, $cancel, qr/canceling statement due to user request/);
gone('terminated', q{SELECT reco_refresh('shop')}, 'SELECT pg_terminate_backend(%s)', qr//);

# An error caught in plpgsql, with the transaction still open: query_canceled is not caught by "others", so this one fails by itself.
{
	my ($session, $pid) = session();
	is($session->query_safe(q{BEGIN; SET test.pause = fail; SELECT refresh_and_catch()}), 'the till is closed', 'an error is caught');
	is(seen(), 0, 'caught: nothing is seen of it, though the transaction is open');
	is($session->query_safe(q{SET test.pause = off; SELECT refresh_and_catch()}), 'refreshed', 'caught: the next one works');
	is(seen(), 0, 'caught: and is gone as well');
	$session->query_safe('COMMIT');
	$session->quit;
}
{
	# the same while it is seen: lock_timeout ends the writing with an error that plpgsql catches
	my ($session, $pid) = session();
	my $hold = hold_writing();
	$session->query_safe(q{INSERT INTO orders SELECT c, 30 FROM generate_series(1, 100) c});
	$session->query_safe(q{BEGIN; SET lock_timeout = '8s'});
	send_off($session, q{SELECT refresh_and_catch()});
	waits($pid, 'transactionid');
	is(seen("SELECT phase FROM reco_progress WHERE pid = $pid"), 'write', 'lock_timeout: it is seen');
	my ($out, $err) = answer_of($session);
	like($out, qr/lock timeout/, 'lock_timeout: the error is caught');
	is(seen(), 0, 'lock_timeout: then it is gone, though the transaction is open');
	$session->query_safe('ROLLBACK');
	$hold->quit;
	$session->quit;
}

# An error that is caught within the events query makes PostgreSQL forget what the backend was at; it is told again.
{
	my ($session, $pid) = session();
	my $hold = hold_reading();
	$session->query_safe('SET test.pause = caught');
	send_off($session, q{SELECT users FROM reco_refresh('shop')});
	waits($pid, 'advisory');
	# 16 and later leave CREATE TABLE AS free pages, into which the rows added above go unseen by the planner
	is(seen("SELECT model, phase, total >= 2400 FROM reco_progress WHERE pid = $pid"), 'shop|read|t', 'a refresh that caught an error within is seen');
	cmp_ok(seen("SELECT done FROM reco_progress WHERE pid = $pid"), '>', 149 * 8 * 63 / 64 - 1, 'as far as it has come');
	$hold->quit;
	is_deeply([ answer_of($session) ], [ 300, '' ], 'it succeeds');
	is(seen(), 0, 'and is gone');
	$session->quit;
}

# A refresh within the events of another one: the outer one is seen again when the inner one has ended.
{
	my ($session, $pid) = session();
	my $hold = hold_reading();
	$session->query_safe(q{
		CREATE FUNCTION inner_refresh(customer int) RETURNS boolean LANGUAGE sql VOLATILE AS
			$$ SELECT CASE WHEN customer = 5 THEN (SELECT users > 0 FROM public.reco_refresh('ridge')) ELSE public.pause(customer) END $$;
		SELECT reco_create_model('outer', 'SELECT customer_id AS user_id, CASE WHEN public.inner_refresh(customer_id) THEN product_id END AS item_id
			FROM public.orders');
		SET test.pause = on});
	send_off($session, q{SELECT users FROM reco_refresh('outer')});
	waits($pid, 'advisory');
	is(seen("SELECT model, phase FROM reco_progress WHERE pid = $pid"), 'outer|read', 'after the inner refresh the outer one is seen');
	$hold->quit;
	is_deeply([ answer_of($session) ], [ 300, '' ], 'both succeed');
	is(seen(), 0, 'and are gone');
	$session->quit;
}

# While pairs are counted, what is told grows with what was counted.
{
	$node->safe_psql('postgres', q{
		CREATE TABLE crowd AS SELECT u AS user_id, floor(3000 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS item_id
			FROM generate_series(1, 3000) u, generate_series(1, 400) n;
		GRANT ALL ON crowd TO merchant; SET ROLE merchant;
		SELECT reco_create_model('crowd', 'SELECT user_id, item_id FROM public.crowd');
		SELECT reco_configure('crowd', similarity => 'cosine')});
	my ($session, $pid) = session();
	$session->query_safe(q{SET max_parallel_maintenance_workers = 0});
	send_off($session, q{SELECT users FROM reco_refresh('crowd')});
	# Looked at by one statement, a thousand times a second, until it has ended.
	is($node->safe_psql('postgres', qq{DO \$\$
		DECLARE seen int; early int := 0; begun boolean := false;
		BEGIN
			FOR look IN 1 .. 60000 LOOP
				PERFORM pg_stat_clear_snapshot();
				SELECT count(*), early + count(*) FILTER (WHERE phase = 'learn' AND done BETWEEN 1 AND total / 2) INTO seen, early FROM reco_progress WHERE pid = $pid;
				begun := begun OR seen > 0;
				EXIT WHEN begun AND seen = 0;
				PERFORM pg_sleep(0.001);
			END LOOP;
			PERFORM set_config('test.early', (early > 0)::text, false);
		END \$\$; SELECT current_setting('test.early')}), 'true', 'learning is seen when less than half of it is done');
	is_deeply([ answer_of($session) ], [ 3000, '' ], 'learning: it succeeds');
	$session->quit;
}

# Who asks not to be watched is not.
{
	my ($session, $pid) = session('postgres');
	my $hold = hold_reading();
	$session->query_safe('SET track_activities = off; SET test.pause = on');
	send_off($session, q{SELECT users FROM reco_refresh('shop')});
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_locks WHERE pid = $pid AND locktype = 'advisory' AND NOT granted") or die;
	is(seen(), 0, 'track_activities = off: nothing is seen');
	$hold->quit;
	is_deeply([ answer_of($session) ], [ 300, '' ], 'track_activities = off: it succeeds');
	$session->quit;
}

$node->stop;
done_testing();
