# The lists of everybody by several processes: the same whatever their number, and nothing left behind however it ends.

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
$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = mmap\nautovacuum = off\nmax_worker_processes = 12\nmax_parallel_workers = 8");
$node->start;

# 3,000 users with 3 to 66 events each, more than the 100,000 from which on others help; 500 who know only what nobody else does, which is
# in no catalogue; and 500 with one event.  Every thirteenth item is in no catalogue, either.
$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE TABLE seen WITH (parallel_workers = 4) AS
		SELECT u, floor(2000 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i, (1 + n % 3)::float8 AS w,
			timestamptz '2026-01-01' + n / 2 * interval '1 hour' AS t, (ARRAY['buy', 'view', 'like'])[1 + n % 3] AS s
		FROM generate_series(1, 3000) u, generate_series(1, 3 + (hashint8extended(u, 7) & 63)::int) n;
	INSERT INTO seen SELECT 1000000 + u, 5000 + u, 1, '2026-01-02', 'buy' FROM generate_series(1, 500) u;
	INSERT INTO seen SELECT 2000000 + u, u % 50, 1, '2026-01-02', 'buy' FROM generate_series(1, 500) u;
	CREATE TABLE items AS SELECT i, 'c' || i % 7 AS category, ARRAY['t' || i % 11, 't' || i % 5] AS tags FROM generate_series(0, 4000) i WHERE i % 13 <> 0;
	VACUUM ANALYZE seen});

# Ids of every kind, what reading by several processes does and what one does alone; times and weights or none; each of the similarities
# that lists are made of otherwise.
my %models = (
	narrow => [ q{SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM seen}, '', q{similarity => 'next', half_life => '5 days'} ],
	wide => [ q{SELECT u::bigint AS user_id, i AS item_id FROM seen}, q{SELECT i AS item_id, category, tags FROM items}, q{similarity => 'cooccurrence', content => 20} ],
	text => [ q{SELECT 'user ' || u AS user_id, 'item ' || i AS item_id, t AS occurred_at, w AS weight, s AS signal FROM seen}, q{SELECT 'item ' || i AS item_id, category FROM items},
		q{similarity => 'cosine', exclude_seen => '{"view": "10 days"}', fatigue_half_life => '3 days'} ],
	uuid => [ q{SELECT md5(u::text)::uuid AS user_id, i::smallint AS item_id, t AS occurred_at, w::real - 1.5 AS weight FROM seen}, '', q{similarity => 'ridge', candidates => 50, max_history => 20} ]);
for my $model (sort keys %models)
{
	my ($events, $items, $settings) = @{ $models{$model} };
	$node->safe_psql('postgres', "SELECT reco_create_model('$model', \$\$$events\$\$" . ($items ? ", \$\$$items\$\$" : '') . ");
		SELECT reco_configure('$model', $settings); SELECT reco_refresh('$model') IS NOT NULL");
}

# Everybody's lists byte for byte, and what was said.
sub lists
{
	my ($model, $workers, $set, $arguments, $role) = @_;
	my ($status, $out, $err) = $node->psql('postgres', ($role ? "SET ROLE $role; " : '') . qq{SET max_parallel_maintenance_workers = $workers; $set; SET client_min_messages = debug1;
		SELECT count(*), count(DISTINCT source), md5(string_agg(t::text, ' ' ORDER BY user_id, rank)) FROM $model.top_n_all($arguments, as_of => '2026-01-20') t});
	$err =~ s/^psql:.*?: //mg;
	return ($out, join "\n", grep { /read the events|reads the events|for events|workers started|one process|temporary files|made together|ERROR/ } split /\n/, $err);
}

my (%all, $helped);
for my $model (sort keys %models)
{
	for my $arguments ('10', '70', '5, fallback => false', '6, min_match => 60', '7, seen => true', '3, part => 2, parts => 3')
	{
		my ($wanted, $alone) = lists($model, 0, '', $arguments);
		like($wanted, qr/^[1-9]\d+\|[123]\|[0-9a-f]{32}$/, "$model, $arguments: there is something to compare");
		unlike($alone, qr/together/, "$model, $arguments: one process");
		$all{"$model $arguments"} = $wanted;
		my $workers = $arguments eq '10' ? 4 : $arguments eq '70' ? 1 : 2;
		my ($have, $said) = lists($model, $workers, '', $arguments);
		is($have, $wanted, "$model, $arguments: $workers workers make what one process makes");
		# On a busy machine a worker may come when all has been read.
		$helped++ if $said =~ /[1-4] workers helped/;
		like($said, $model =~ /narrow|wide/ ? qr/^DEBUG:  [0-4] workers helped to read the events$/m : qr/^DEBUG:  one process reads the events: ids or signals have to be looked up$/m,
			"$model, $arguments: how the events are read");
		# As many as there is memory for.
		like($said, qr/^DEBUG:  ([1-$workers]) workers started of \1 wanted\nDEBUG:  \d+ of [1-9]\d* lists by way of a short list, made together$/m, "$model, $arguments: workers make lists");
	}
}
is(scalar(keys %{ { reverse %all } }), scalar(keys %all), 'no two answers are the same');
ok($helped, 'workers help to read, if not each time');

# Lists that do not fit into memory wait on tape, which is shared; where there is no memory for workers one process does it all.
my %waited;
for my $kilobytes (8000, 9000, 10000, 11000, 12000, 16000)
{
	my $before = -s $node->logfile;
	my ($have, $said) = lists('narrow', 2, "SET maintenance_work_mem = $kilobytes; SET log_temp_files = 0", '70');
	$waited{together} //= $before if $said =~ /made together/;
	$waited{alone}++ if $said !~ /made together/;
	is($have, $all{'narrow 70'}, "$kilobytes kB: the same");
	like($said, qr/made together|one process reads the events/, "$kilobytes kB: " . ($said =~ /together/ ? 'together' : 'by one process'));
}

is_deeply([ sort keys %waited ], [ 'alone', 'together' ], 'some by one process, some together');
# A worker that comes when all has been read has nothing to wait with: then once more.
my $log = '';
for (1 .. 20)
{
	$log = substr(slurp_file($node->logfile), $waited{together});
	last if $log =~ /temporary file: path "[^"]*\.fileset/;
	lists('narrow', 2, 'SET maintenance_work_mem = 16000; SET log_temp_files = 0', '70');
}
like($log, qr/temporary file: path "[^"]*\.fileset/, 'by way of tape');

# No workers, or less than there could be.
{
	my ($have, $said) = lists('narrow', 2, 'SET max_parallel_workers = 0', '10');
	is($have, $all{'narrow 10'}, 'max_parallel_workers = 0: the same');
	unlike($said, qr/together/, 'max_parallel_workers = 0: by one process');
	($have, $said) = lists('narrow', 2, 'BEGIN READ ONLY; SAVEPOINT s', '10');
	is($have, $all{'narrow 10'}, 'read-only, within a savepoint: the same');
	like($said, qr/made together/, 'read-only, within a savepoint: together');

	# Few events are not worth it.
	$node->safe_psql('postgres', q{SELECT reco_create_model('few', 'SELECT u AS user_id, i AS item_id FROM seen WHERE u <= 300'); SELECT reco_refresh('few') IS NOT NULL});
	(undef, $said) = lists('few', 2, '', '10');
	unlike($said, qr/together|for events/, 'few events: by one process');

	$node->safe_psql('postgres', q{CREATE FUNCTION unsafe(int) RETURNS int LANGUAGE sql PARALLEL UNSAFE AS 'SELECT $1';
		CREATE OR REPLACE VIEW narrow.events WITH (security_invoker = true) AS SELECT public.unsafe(u) AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM seen});
	($have, $said) = lists('narrow', 2, '', '10');
	is($have, $all{'narrow 10'}, 'a view that is not parallel safe: the same');
	like($said, qr/^DEBUG:  one process reads the events: the plan of the events is not parallel\nDEBUG:  2 workers started of 2 wanted$/m, 'a view that is not parallel safe: read by one process, and lists together');

	$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW narrow.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, t AS occurred_at, w / (i - 77) AS weight FROM seen});
	(undef, $said) = lists('narrow', 2, '', '10');
	like($said, qr/^ERROR:  division by zero$/m, 'an error of the view is raised as it is');
	$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW narrow.events WITH (security_invoker = true) AS SELECT u AS user_id, i AS item_id, t AS occurred_at, w AS weight FROM seen});

	# Everybody reads with rights and policies of their own, workers as well.
	$node->safe_psql('postgres', q{CREATE ROLE reader; GRANT USAGE ON SCHEMA narrow TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA narrow TO reader; GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA narrow TO reader;
		GRANT SELECT ON seen TO reader; ALTER TABLE seen ENABLE ROW LEVEL SECURITY; CREATE POLICY but_one ON seen USING (u <> 2)});
	my ($wanted) = lists('narrow', 0, '', '10', 'reader');
	isnt($wanted, $all{'narrow 10'}, 'a policy: fewer are seen');
	($have, $said) = lists('narrow', 2, '', '10', 'reader');
	is($have, $wanted, 'a policy: workers see no more');
	like($said, qr/workers helped to read the events\n.*made together/s, 'a policy: together');
	$node->safe_psql('postgres', 'REVOKE EXECUTE ON FUNCTION reco_gather FROM public');
	($have, $said) = lists('narrow', 2, '', '10', 'reader');
	is($have, $wanted, 'no right to call reco_gather: the same');
	like($said, qr/^DEBUG:  one process reads the events: no right to call reco_gather$/m, 'no right to call reco_gather: read by one process, which says so');
	$node->safe_psql('postgres', 'GRANT EXECUTE ON FUNCTION reco_gather TO public; ALTER TABLE seen DISABLE ROW LEVEL SECURITY');
}

# What is made of it in one statement: a table, while the transaction has written already.
is($node->safe_psql('postgres', q{SET max_parallel_maintenance_workers = 2; BEGIN; CREATE TABLE kept (user_id int, item_id int, rank int); INSERT INTO kept SELECT user_id, item_id, rank FROM narrow.top_n_all(10, as_of => '2026-01-20');
	SELECT count(*) FROM kept; COMMIT}), (split /\|/, $all{'narrow 10'})[0], 'into a table, in a transaction that has written');

# However it ends.  One item takes long here, so that workers are met at reading and at making lists.
$node->safe_psql('postgres', q{CREATE FUNCTION late(int) RETURNS int LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT $1 + length(pg_catalog.pg_sleep(0.001)::text)';
	CREATE OR REPLACE VIEW wide.events WITH (security_invoker = true) AS SELECT (CASE WHEN late(1) = 1 THEN u ELSE u END)::bigint AS user_id, i AS item_id FROM seen});
sub nothing_left
{
	my ($name) = @_;
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), "$name: no worker is left");
	is(scalar(() = glob($node->data_dir . '/base/pgsql_tmp/*')), 0, "$name: no temporary file is left");
	is((lists('narrow', 2, '', '10'))[0], $all{'narrow 10'}, "$name: the next makes what it should");
}
for my $end ('cancel', 'terminate')
{
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()') + 0;
	my $workers = "FROM pg_stat_activity WHERE leader_pid = $pid";
	$session->query_safe('SET max_parallel_maintenance_workers = 2');
	$session->query_until(qr/sent off/, "\\echo sent off\nSELECT count(*) FROM wide.top_n_all(10);\n");
	ok($node->poll_query_until('postgres', "SELECT count(*) > 0 $workers"), "$end: workers are seen");
	$node->safe_psql('postgres', $end eq 'cancel' ? "SELECT pg_cancel_backend($pid)" : "SELECT pg_terminate_backend(min(pid)) $workers");
	$session->{stderr} = '';
	$session->query('SELECT');
	like($session->{stderr}, $end eq 'cancel' ? qr/canceling statement due to user request/ : qr/due to administrator command/, "$end: says so");
	$session->{stderr} = '';
	is($session->query_safe(q{SELECT count(*) FROM narrow.top_n_all(10, as_of => '2026-01-20')}) + 0, (split /\|/, $all{'narrow 10'})[0] + 0, "$end: the same session goes on");
	$session->quit;
	nothing_left($end);
}

# At any point, in one session.
{
	my $cut = 'canceling statement due to statement timeout';
	$node->safe_psql('postgres', q{CREATE FUNCTION made() RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
			RETURN (SELECT count(*) FROM narrow.top_n_all(10, as_of => '2026-01-20'));
		EXCEPTION WHEN query_canceled THEN
			RETURN 'cancelled';
		END $$});
	# Just before the block is entered or after it is left the function cannot catch it: then the session goes on after an error.
	my (undef, $tried, $errors) = $node->psql('postgres', join(' ', 'SET max_parallel_maintenance_workers = 2;', map { "SET statement_timeout = $_; SELECT made();" } map { $_ * 40 } 1 .. 15), on_error_stop => 0);
	my $uncaught = () = $errors =~ /ERROR:  $cut/g;
	unlike($errors =~ s/ERROR:  $cut//gr, qr/ERROR|FATAL/, 'nothing else fails');
	is(scalar(() = $tried =~ /^(?:cancelled|40000)$/mg) + $uncaught, 15, 'cut off at any point, and caught');
	like($tried, qr/cancelled/, 'some are cut off');
	nothing_left('cut off at any point');
}

log_holds_no_fault($node, 'the log holds no fault', also => qr/WARNING:/);
$node->stop;
done_testing();
