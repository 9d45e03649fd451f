# A refresh in several processes: the same model whatever their number, fewer of them where there is no room, and
# nothing left behind however it ends.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(crash_of log_holds_no_fault scheduled);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# A server, whose shared memory lies in files of its own where they can be counted.
sub server
{
	my ($name, %with) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	$node->init(%with);
	$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
	  if -s ($ENV{RECO_SERVER_CONF} // '');
	$node->append_conf('postgresql.conf', "restart_after_crash = on\nautovacuum = off\nmax_parallel_maintenance_workers = 2");
	return $node;
}

# 3,000 users with 45 draws of 2,000 items: more than the 100,000 cells from which on workers are started.  No table
# is needed, so that a server with little room for files can have them too.
my $visits = q{SELECT u AS user_id, floor(%d * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS item_id, (1 + n %% 3)::float8 AS weight,
	timestamptz '2026-01-01' + n / 2 * interval '1 hour' AS occurred_at
	FROM generate_series(1, %d) u, generate_series(1, %d) n};
# Where ten groups of users go for items of their own, ridge is picked.
my $groups = q{SELECT u AS user_id, floor(120 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 1.3))::int * 10
		+ CASE WHEN hashint8extended(n, u + 7) & 3 = 0 THEN n % 10 ELSE u % 10 END AS item_id
	FROM generate_series(1, 3000) u, generate_series(1, 45) n};
my %models = (
	uniform => q{similarity => 'cooccurrence', weighting => 'binary'},
	weighted => q{similarity => 'cosine', weighting => 'linear'},
	text => q{similarity => 'bm25'},
	counts => q{similarity => 'llr', keep => 'source'},
	factors => q{algorithm => 'factors', factors => 6, iterations => 2},
	next => q{similarity => 'next'},
	picked => q{similarity => 'auto', candidates => 80},
	picked_ridge => q{similarity => 'auto', candidates => 80},
	ridge => q{similarity => 'ridge', candidates => 40},
	ridge_uniform => q{similarity => 'ridge', candidates => 40, weighting => 'binary'});

sub create_model
{
	my ($node, $model, $settings, $users, $draws, $items) = @_;
	my $view = $model eq 'picked_ridge' ? $groups : sprintf($visits, $items // 2000, $users // 3000, $draws // 45);
	$node->safe_psql('postgres', "SELECT reco_create_model('$model', \$\$$view\$\$)"
		. "; SELECT reco_configure('$model', $settings)");
}

# Refreshes from nothing.  Returns what was learned, byte for byte, and what was said.
sub learn
{
	my ($node, $model, $set) = @_;
	my ($status, $out, $err) = $node->psql('postgres', qq{SET max_parallel_maintenance_workers = 2; $set; TRUNCATE $model.learned_item;
		SET client_min_messages = debug1; SELECT reco_refresh('$model') IS NOT NULL; SET client_min_messages = notice;
		SELECT count(*), sum(length(neighbors)), md5(string_agg(l::text, ' ' ORDER BY item_id)
			|| coalesce((SELECT string_agg(f::text, ' ' ORDER BY item_id) FROM $model.item_factor f), '')
			|| (SELECT concat(curve_score, curve_match) FROM $model.model)) FROM $model.learned_item l});
	$err =~ s/^psql:.*?: //mg;
	our $read = join "\n", grep { /read the events|reads the events|for events/ } split /\n/, $err;
	return ($out, join "\n", grep { /workers started|one process does|shared memory for workers|in passes|ERROR/ } split /\n/, $err);
}

# Waits for a worker of a backend that has been at work for a while, and returns its process.
sub worker_of
{
	my ($node, $pid) = @_;
	my $workers = qq{FROM pg_stat_activity WHERE leader_pid = $pid AND backend_type = 'parallel worker'
		AND backend_start < clock_timestamp() - interval '0.5 s'};
	ok($node->poll_query_until('postgres', "SELECT count(*) = 2 $workers"), 'two workers are seen in pg_stat_activity');
	return $node->safe_psql('postgres', "SELECT min(pid) $workers");
}

sub session
{
	my ($node) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
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

# What lies in the folder of shared memory, in megabytes, and the temporary files.
sub shared_memory
{
	my ($node) = @_;
	my $bytes = 0;
	$bytes += -s $_ // 0 for glob($node->data_dir . '/pg_dynshmem/mmap.*');
	return $bytes / 1048576;
}

sub temporary_files { return scalar(() = glob($_[0]->data_dir . '/base/pgsql_tmp/*')); }


my $node = server('main');
$node->append_conf('postgresql.conf', 'dynamic_shared_memory_type = mmap');
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION reco');
create_model($node, $_, $models{$_}) for sort keys %models;

# The same model from any number of processes.

my %learned;
for my $model (sort keys %models)
{
	my ($wanted) = learn($node, $model, 'SET max_parallel_maintenance_workers = 0');
	like($wanted, qr/^t\n\d{4}\|[1-9]\d{4,}\|[0-9a-f]{32}$/, "$model: there is something to compare");
	$learned{$model} = $wanted;
	for my $workers (1, 2, 4)
	{
		my ($have, $said) = learn($node, $model, "SET max_parallel_maintenance_workers = $workers");
		is($have, $wanted, "$model: $workers workers learn what one process learns");
		like($said, qr/^(DEBUG:  $workers workers started of $workers wanted\n?)+$/, "$model: $workers workers at every step");
	}
}
is(scalar(keys %{ { reverse %learned } }), scalar(keys %models), 'no two models are the same');
is(scalar(() = (learn($node, 'picked', ''))[1] =~ /workers started/g), 5,
	'what is picked: summed, put into rows, counted for the trials and for everybody at once, tried, and learned');
is(scalar(() = (learn($node, 'picked_ridge', ''))[1] =~ /workers started/g), 4, 'where that is ridge, those who tried it learn by it');

# As little memory as one process can do with, without passes over files.
create_model($node, 'wide', $models{weighted}, 3000, 45, 60000);
for my $model ('wide', 'ridge', 'next')
{
	my ($kilobytes, $wanted, $have, $said) = (1024, '', '', '');
	($wanted, $said) = learn($node, $model, 'SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = ' . ($kilobytes = int($kilobytes * 1.1)))
	  until ($wanted =~ /^t\n/ && $said !~ /in passes/) || $kilobytes > 60000;
	($have, $said) = learn($node, $model, "SET max_parallel_maintenance_workers = 6; SET maintenance_work_mem = $kilobytes");
	is($have, $wanted, "$model, $kilobytes kB: workers learn the same, in no more memory");
	like($said, qr/(one process does the job: no memory for workers|workers started of [1-5] wanted)/, "$model, $kilobytes kB: not all 6 of them at each step");
}

# In passes over files one other process helps as well as several do.
{
	my ($have, $said) = learn($node, 'weighted', q{SET max_parallel_maintenance_workers = 1; SET maintenance_work_mem = '1MB'});
	is($have, $learned{weighted}, 'in passes: a worker learns the same');
	like($said, qr/^NOTICE: .* in passes\n(DEBUG:  1 workers started of 1 wanted\n?)+$/, 'in passes: it works at every step');
}

# Ridge has two ways to gather its systems, and which one is taken depends on memory alone: the weights are the same.
{
	my (%ways, %steps);
	for (my $kilobytes = 14000; $kilobytes <= 21000; $kilobytes += 1000)
	{
		my ($wanted) = learn($node, 'ridge', "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = $kilobytes");
		my ($have, $said) = learn($node, 'ridge', "SET max_parallel_maintenance_workers = 4; SET maintenance_work_mem = $kilobytes");
		is($have, $wanted, "ridge, $kilobytes kB: the same with workers and without");
		like($said, qr/^(DEBUG:  [1-4] workers started of [1-4] wanted\n?)+$/, "ridge, $kilobytes kB: workers at every step");
		$ways{$wanted} = 1;
		$steps{ scalar(split /\n/, $said) } = 1;
	}
	is(scalar(keys %ways), 1, 'and whatever memory there is');
	is(join(' ', sort keys %steps), '6 8', 'summed, counted and solved twice, and where the systems lie on tape, dealt out there by workers as well');
}

# Below 100,000 cells nobody is asked.
create_model($node, 'few', $models{uniform}, 3000, 20);
my ($have, $said) = learn($node, 'few', '');
like($said, qr/^(DEBUG:  one process does the job: no workers\n?)+$/, 'few cells: one process');

# No workers to be had.
{
	($have, $said) = learn($node, 'uniform', 'SET max_parallel_workers = 0');
	is($have, $learned{uniform}, 'max_parallel_workers = 0: one process learns the same');
	like($said, qr/^(DEBUG:  one process does the job: no workers\n?)+$/, 'and says so');

	my ($sleeper) = session($node);
	$sleeper->query_safe(q{CREATE TABLE sleep (x int) WITH (parallel_workers = 2); INSERT INTO sleep SELECT generate_series(1, 1000);
		SET parallel_setup_cost = 0; SET max_parallel_workers_per_gather = 2; SET parallel_leader_participation = off});
	send_off($sleeper, 'SELECT count(pg_sleep(600 + x)) FROM sleep');
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND wait_event = 'PgSleep'}),
		'two workers are busy');
	for ([ 2, 0 ], [ 3, 1 ], [ 4, 2 ])
	{
		my ($most, $left) = @$_;
		($have, $said) = learn($node, 'uniform', "SET max_parallel_workers = $most");
		is($have, $learned{uniform}, "2 of $most workers are busy: the others learn the same");
		like($said, qr/^(DEBUG:  $left workers started of 2 wanted\n?)+$/, 'and it says how many they were');
	}
	$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'client backend' AND query LIKE '%pg\_sleep(600%' AND pid <> pg_backend_pid()});
	answer_of($sleeper);
	$sleeper->quit;
}


# Reading: what a table holds is read by several processes, with ids of every kind, in whatever order rows lie.

my %ids = (
	bigint => [ '3000000000 - u', 'n' ],
	text => [ q{'user ' || u}, q{repeat('item ', 1 + (n % 5)::int) || n} ],
	uuid => [ 'md5(u::text)::uuid', 'md5(n::text)::uuid' ]);
my $found = q{SELECT format('%s %s %s', events, users, items), skipped_null_user, skipped_null_item, skipped_null_weight, skipped_null_time, skipped_not_finite};

# Makes a table, large enough for four workers, of what somebody did; some rows are left out when it is read.
sub create_table
{
	my ($server, $table, $user, $item, $order, $draws) = @_;
	$draws //= 50;
	$server->safe_psql('postgres', qq{CREATE TABLE $table (user_id, item_id, occurred_at, weight) WITH (parallel_workers = 4) AS
		SELECT CASE WHEN draw % 997 <> 0 THEN $user END, CASE WHEN draw % 991 <> 0 THEN $item END,
			CASE WHEN draw % 983 <> 0 THEN '2026-01-01'::timestamptz + make_interval(secs => draw % 7000000) END,
			CASE WHEN draw % 977 = 0 THEN 'NaN' WHEN draw % 971 <> 0 THEN draw % 4 - 0.5::float8 END
		FROM (SELECT u, floor(1500 * power((hashint8extended(n * 7919 + u, 1) & 1048575) / 1048576.0, 2))::bigint AS n, hashint8extended(n, u) & 1073741823 AS draw
			FROM generate_series(1, 4000) u, generate_series(1, $draws) n) rows ORDER BY $order; ANALYZE $table});
}

for my $kind (sort keys %ids)
{
	my ($user, $item) = @{ $ids{$kind} };
	create_table($node, "seen_$kind", $user, $item, 'u, draw');
	create_table($node, "shuffled_$kind", $user, $item, 'hashint8(draw), u');
	$node->safe_psql('postgres', qq{SELECT reco_create_model('read_$kind', 'SELECT * FROM seen_$kind');
		SELECT reco_configure('read_$kind', similarity => 'cosine', half_life => '30 days', max_history => 40)});
}

# Learns from one of the two tables.  Returns what was learned with the report, and what was said of reading.
our $read;
sub learn_from
{
	my ($server, $model, $table, $set) = @_;
	my ($out) = learn($server, $model, qq{SET max_parallel_workers = 4; SET client_min_messages = error;
		CREATE OR REPLACE VIEW $model.events WITH (security_invoker = true) AS SELECT * FROM $table; $set});
	return ($out . ' ' . $server->safe_psql('postgres', "$found FROM reco_refresh('$model')"), $read);
}

my (%read, %helped);
for my $kind (sort keys %ids)
{
	my ($wanted, $said) = learn_from($node, "read_$kind", "seen_$kind", 'SET max_parallel_maintenance_workers = 0');
	like($wanted, qr/^t\n\d{4}\|[1-9]\d{4,}\|[0-9a-f]{32} 19\d{4} \d{4} \d{4}\|([1-9]\d+\|){4}[1-9]\d+$/, "$kind: there is something to compare");
	is($said, 'DEBUG:  one process reads the events: no workers', "$kind: read by one process");
	$read{$kind} = $wanted;
	for my $table ("seen_$kind", "shuffled_$kind")
	{
		for my $workers (0, 1, 2, 4)
		{
			for my $memory ('64MB', '8MB')
			{
				my $name = "$table, $workers workers, $memory";
				my ($have, $said) = learn_from($node, "read_$kind", $table, "SET max_parallel_maintenance_workers = $workers; SET maintenance_work_mem = '$memory'");
				is($have, $wanted, "$name: the same is learned");
				# On a busy machine a worker may come when all has been read.
				like($said, $workers == 0 ? qr/^DEBUG:  one process reads the events: no workers$/ : qr/^DEBUG:  [0-$workers] workers helped to read the events$/, "$name: says who read");
				$helped{$workers}{$1} = 1 if $said =~ /(\d) workers helped/;
			}
		}
	}
}

ok($helped{$_}{$_}, "$_ workers help to read, if not each time") for (1, 2, 4);

# What is not read in parallel, and what fails in a worker.
$node->safe_psql('postgres', q{CREATE FUNCTION unsafe(bigint) RETURNS bigint LANGUAGE sql PARALLEL UNSAFE AS 'SELECT $1';
	CREATE FUNCTION late(bigint) RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE AS 'SELECT $1 + length(pg_catalog.pg_sleep(0.0002)::text)'});
{
	my ($have, $said) = learn_from($node, 'read_bigint', '(SELECT public.unsafe(user_id) AS user_id, item_id, occurred_at, weight FROM seen_bigint) s', '');
	is($have, $read{bigint}, 'a view that is not parallel safe: the same is learned');
	is($said, 'DEBUG:  one process reads the events: the plan of the events is not parallel', 'a view that is not parallel safe: read by one process');

	# Whoever owns the model need not be allowed what its view does not ask for.
	$node->safe_psql('postgres', q{CREATE ROLE keeper; GRANT CREATE ON DATABASE postgres TO keeper; GRANT SELECT ON seen_bigint TO keeper; SET ROLE keeper;
		SELECT reco_create_model('kept', 'SELECT * FROM public.seen_bigint');
		SELECT reco_configure('kept', similarity => 'cosine', half_life => '30 days', max_history => 40); RESET ROLE;
		REVOKE EXECUTE ON FUNCTION reco_gather FROM public});
	($have, $said) = learn_from($node, 'kept', 'public.seen_bigint', '');
	is($have, $read{bigint}, 'no right to call reco_gather: the same is learned');
	like($said, qr/^DEBUG:  no right to call reco_gather for events: permission denied for \w+ reco_gather\nDEBUG:  one process reads the events: no right to call reco_gather$/,
		'no right to call reco_gather: read by one process, which says so');
	$node->safe_psql('postgres', q{REVOKE SELECT ON seen_bigint FROM keeper});
	(undef, undef, my $refused) = $node->psql('postgres', q{SELECT reco_refresh('kept')});
	like($refused, qr/ERROR:  permission denied for table seen_bigint/, 'a right that the view asks for is missed as ever');
	$node->safe_psql('postgres', q{GRANT SELECT ON seen_bigint TO keeper; GRANT EXECUTE ON FUNCTION reco_gather TO public});
	($have, $said) = learn_from($node, 'kept', 'public.seen_bigint', '');
	like($said, qr/^DEBUG:  \d workers helped to read the events$/, 'with the right, it is read in parallel');

	$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW read_bigint.events WITH (security_invoker = true) AS
		SELECT user_id, item_id, occurred_at, weight / (item_id - 77) AS weight FROM seen_bigint});
	my (undef, undef, $err) = $node->psql('postgres', q{SET max_parallel_maintenance_workers = 2; SELECT reco_refresh('read_bigint')});
	like($err, qr/ERROR:  division by zero/, 'an error of the view is raised as it is');
	is(temporary_files($node), 0, 'an error of the view: no temporary file is left');

	learn_from($node, 'read_bigint', 'seen_bigint', '');
	(undef, undef, $err) = $node->psql('postgres', q{SET maintenance_work_mem = '6MB'; SET temp_file_limit = '600kB'; SELECT reco_refresh('read_bigint')});
	like($err, qr/ERROR:  temporary file size exceeds "?temp_file_limit"?/, 'temp_file_limit holds for workers');
	is(temporary_files($node), 0, 'temp_file_limit: no temporary file is left');
}


# However it ends: weights of 1,000 candidates for 6,000 items take far longer than anybody waits here.

create_model($node, 'long', q{similarity => 'ridge', candidates => 1000, weighting => 'binary'}, 9000, 45, 6000);
$node->safe_psql('postgres', q{SELECT reco_configure('long', candidates => 10); SELECT reco_refresh('long'); SELECT reco_configure('long', candidates => 1000)});
my $answers = q{SELECT u, t.* FROM generate_series(1, 20) u CROSS JOIN LATERAL reco_top_n(u, 10, 'long') WITH ORDINALITY t; SELECT * FROM long.model};
my $before = $node->safe_psql('postgres', $answers);
my $megabytes = shared_memory($node);
my $refresh = q{SET maintenance_work_mem = '256MB'; SELECT users FROM reco_refresh('long')};

sub nothing_left
{
	my ($name) = @_;
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), "$name: no worker is left");
	is($node->safe_psql('postgres', $answers), $before, "$name: the old model answers");
	# The server itself may have taken a megabyte for its statistics.
	cmp_ok(shared_memory($node), '<', $megabytes + 2, "$name: no shared memory is left");
	is(temporary_files($node), 0, "$name: no temporary file is left");
	is_deeply([ (learn($node, 'uniform', ''))[0] ], [ $learned{uniform} ], "$name: the next refresh learns what it should");
}

{
	my ($session, $pid) = session($node);
	send_off($session, $refresh);
	worker_of($node, $pid);
	cmp_ok(shared_memory($node), '>', $megabytes + 10, 'its shared memory is where it is looked for');
	my ($before_it) = scheduled($pid);
	kill INT => $pid;
	my ($out, $err) = answer_of($session);
	# Counted in the time of the processor that it had, which does not depend on what else runs.
	my ($after_it) = scheduled($pid);
	cmp_ok(($after_it // 0) - ($before_it // 0), '<=', 1, 'cancelled: at once');
	like($err, qr/ERROR:  57014: .*canceling statement due to user request/, 'cancelled: says so');
	is($session->query_safe(q{SELECT users FROM reco_refresh('uniform')}), 3000, 'cancelled: the same session refreshes');
	nothing_left('cancelled');

	send_off($session, $refresh);
	my $worker = worker_of($node, $pid);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
	($out, $err) = answer_of($session);
	like($err, qr/ERROR:  57P01: .*terminating (background worker|connection).* due to administrator command.*CONTEXT:  parallel worker/s, 'a worker is terminated: says so');
	is($session->query_safe(q{SELECT users FROM reco_refresh('uniform')}), 3000, 'a worker is terminated: the same session refreshes');
	nothing_left('a worker is terminated');

	# The leader's end.
	send_off($session, $refresh);
	worker_of($node, $pid);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	eval { $session->quit };
	nothing_left('the session is terminated');
}

# An error that is caught: what comes after it in the same transaction goes on with workers.
{
	my ($session, $pid) = session($node);
	$session->query_safe(q{CREATE FUNCTION try() RETURNS text LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM reco_refresh('long');
			RETURN 'done';
		EXCEPTION WHEN query_canceled THEN
			RETURN sqlerrm;
		END $$});
	$session->query_safe(q{SET maintenance_work_mem = '256MB'});
	# Once a worker is there: a quick machine would be done before any time that is long enough for a busy one.
	send_off($session, 'BEGIN; SELECT try()');
	worker_of($node, $pid);
	kill INT => $pid;
	is((answer_of($session))[0], 'canceling statement due to user request', 'an error is caught');
	send_off($session, q{SET LOCAL client_min_messages = debug1; SELECT users FROM reco_refresh('uniform'); SET LOCAL client_min_messages = notice});
	my ($out, $err) = answer_of($session);
	is($out, 3000, 'an error is caught: the same transaction refreshes');
	like($err, qr/2 workers started of 2 wanted/, 'an error is caught: with workers');
	is($session->query_safe(q{SAVEPOINT s; SELECT users FROM reco_refresh('uniform'); ROLLBACK TO s; SELECT users FROM reco_refresh('uniform'); COMMIT}),
		"3000\n3000", 'an error is caught: and again, over a savepoint');
	$session->quit;
	nothing_left('an error is caught');
}

{
	my ($session, $pid) = session($node);
	send_off($session, $refresh);
	my $worker = worker_of($node, $pid);
	ok(crash_of($node, sub { kill KILL => $worker }), 'a worker is killed: the server comes back');
	eval { $session->quit };
	nothing_left('a worker is killed');
}

# The same while the events are read, which takes long here.
$node->safe_psql('postgres', q{CREATE OR REPLACE VIEW read_text.events WITH (security_invoker = true) AS
	SELECT user_id, item_id, occurred_at, weight FROM seen_text WHERE public.late(length(item_id)) IS NOT NULL});
my $read_long = q{SET maintenance_work_mem = '8MB'; SELECT users FROM reco_refresh('read_text')};

{
	my ($session, $pid) = session($node);
	send_off($session, $read_long);
	worker_of($node, $pid);
	like($node->safe_psql('postgres', 'SELECT phase, done > 0, workers FROM reco_progress'), qr/^read\|t\|2$/, 'reading is seen in reco_progress');
	$node->safe_psql('postgres', "SELECT pg_cancel_backend($pid)");
	my ($out, $err) = answer_of($session);
	like($err, qr/ERROR:  57014: .*canceling statement due to user request/, 'cancelled while reading: says so');
	nothing_left('cancelled while reading');

	send_off($session, $read_long);
	my $worker = worker_of($node, $pid);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($worker)");
	($out, $err) = answer_of($session);
	like($err, qr/ERROR:  57P01: .*CONTEXT:  parallel worker/s, 'a reading worker is terminated: says so');
	nothing_left('a reading worker is terminated');

	send_off($session, $read_long);
	worker_of($node, $pid);
	$node->safe_psql('postgres', "SELECT pg_terminate_backend($pid)");
	eval { $session->quit };
	nothing_left('the session is terminated while reading');

	($session, $pid) = session($node);
	send_off($session, $read_long);
	$worker = worker_of($node, $pid);
	ok(crash_of($node, sub { kill KILL => $worker }), 'a reading worker is killed: the server comes back');
	eval { $session->quit };
	nothing_left('a reading worker is killed');
}

log_holds_no_fault($node, 'the log holds no fault', also => qr/WARNING:/, but => qr/terminated by signal 9/);
$node->stop;


# Shared memory that is kept and used again, and so is not zero when it comes.
$node->append_conf('postgresql.conf', "dynamic_shared_memory_type = posix\nmin_dynamic_shared_memory = '64MB'");
$node->start;
for my $model (sort keys %models)
{
	for my $workers (2, 4)
	{
		($have, $said) = learn($node, $model, "SET max_parallel_maintenance_workers = $workers");
		is($have, $learned{$model}, "memory kept: $model, $workers workers learn the same");
		like($said, qr/^(DEBUG:  $workers workers started of $workers wanted\n?)+$/, "memory kept: $model, $workers workers");
	}
}
$node->stop;

# No workers at all.
$node->append_conf('postgresql.conf', 'max_worker_processes = 0');
$node->start;
($have, $said) = learn($node, 'ridge', '');
is($have, $learned{ridge}, 'max_worker_processes = 0: one process learns the same');
like($said, qr/^(DEBUG:  one process does the job: no workers\n?)+$/, 'and says so');
$node->stop;


# Little shared memory.

# Starts a server by a pg_ctl that does something else first, in bash.
sub start_after
{
	my ($server, $first) = @_;
	my $folder = $server->basedir . '/bin';
	mkdir $folder;
	unlink "$folder/pg_ctl";
	append_to_file("$folder/pg_ctl", qq{#!/bin/bash\n$first\nPATH=\${PATH#*:}\nexec pg_ctl "\$@"\n});
	chmod 0755, "$folder/pg_ctl";
	local $ENV{PATH} = "$folder:$ENV{PATH}";
	$server->start;
}

my $small = server('small', extra => [ '--wal-segsize=1' ]);
$small->start;
$small->safe_psql('postgres', 'CREATE EXTENSION reco');
create_model($small, $_, $models{$_}) for ('uniform', 'ridge');
is((learn($small, $_, ''))[0], $learned{$_}, "another server learns the same: $_") for ('uniform', 'ridge');
# Three times the events, which take more shared memory than the pieces that are small enough, whoever reads how many.
create_table($small, 'seen_bigint', @{ $ids{bigint} }, 'u, draw', 150);
$small->safe_psql('postgres', q{SELECT reco_create_model('read_bigint', 'SELECT * FROM seen_bigint');
	SELECT reco_configure('read_bigint', similarity => 'cosine', half_life => '30 days', max_history => 40)});
my ($more_read, $more_said);
for (1 .. 10)
{
	# On a busy machine a worker may come when all has been read.
	($more_read, $more_said) = learn_from($small, 'read_bigint', 'seen_bigint', '');
	last if $more_said !~ /\b0 workers helped/;
}
like($more_said, qr/^DEBUG:  [12] workers helped to read the events$/, 'three times the events, enough shared memory');
# What is learned must fit into files of 3 MB, too.
$small->safe_psql('postgres', "ALTER TABLE $_.learned_item SET (fillfactor = 100)") for ('uniform', 'ridge', 'read_bigint');
$small->stop;

# No file may be larger than 6 MB, or 3 MB: large pieces cannot be shared, small ones can.  The events of ridge, 4 MB of them at most,
# have to fit into a temporary file of one process, who may be alone with them where the others come late.
for my $type ('posix', 'mmap')
{
	$small->append_conf('postgresql.conf', "dynamic_shared_memory_type = $type");
	start_after($small, 'ulimit -f 6000');
	($have, $said) = learn($small, 'ridge', '');
	is($have, $learned{ridge}, "small pieces of shared memory, $type: one process learns the same");
	like($said, qr/^DEBUG:  no shared memory for workers: could not /m, "small pieces of shared memory, $type: says so");
	like($said, qr/^DEBUG:  no shared memory for workers: .*\n(DEBUG:  one process does the job: no workers\n?)+$/m,
		"small pieces of shared memory, $type: from there on without workers");
	unlike($said, qr/ERROR/, "small pieces of shared memory, $type: no error");
	$small->stop;
	start_after($small, 'ulimit -f 3000');
	($have, $said) = learn_from($small, 'read_bigint', 'seen_bigint', '');
	is($have, $more_read, "small pieces of shared memory, $type: events are read all the same");
	like($said, qr/^DEBUG:  no shared memory for events: could not .*\nDEBUG:  one process reads the events: no shared memory$/,
		"small pieces of shared memory, $type: by one process, which says so");
	$small->stop;
}

# All of it in a file system of so many kilobytes, from too few for the pieces of memory that are shared, over too few for
# what PostgreSQL itself needs for workers, to enough for everything.
SKIP:
{
	my $folder = $small->data_dir . '/pg_dynshmem';
	my $unshare = 'unshare -Um --map-current-user --keep-caps';
	my ($too_few, $enough, %learned_here) = (1500, 32000);
	my $learn_in = sub {
		my ($kilobytes) = @_;
		start_after($small, qq{[ "\$IN" ] || IN=1 exec $unshare "\$0" "\$@"\nmount -t tmpfs -o size=${kilobytes}k tmpfs '$folder' || exit});
		($have, $said) = learn($small, 'uniform', '');
		$small->stop;
		$learned_here{$have} = 1;
		return $said;
	};
	skip 'no file system can be mounted here', 5 if system("$unshare mount -t tmpfs tmpfs / >/dev/null 2>&1") != 0;

	like(&$learn_in($too_few), qr/^DEBUG:  no shared memory for workers: .*\nDEBUG:  one process does the job: no (workers|memory for workers)\n/, 'a small file system: none for the pieces');
	is(&$learn_in($enough), join("\n", ('DEBUG:  2 workers started of 2 wanted') x 4), 'a small file system: enough');
	while ($enough - $too_few > 50)
	{
		my $kilobytes = int(($too_few + $enough) / 2);
		if (&$learn_in($kilobytes) =~ /one process/) { $too_few = $kilobytes; } else { $enough = $kilobytes; }
	}
	like(&$learn_in($enough - 100), qr/^DEBUG:  no shared memory for workers: .*\nDEBUG:  one process does the job: no shared memory for workers$/m,
		"a small file system: none for PostgreSQL itself, 100 of $enough kB less than enough");
	is(&$learn_in($enough), join("\n", ('DEBUG:  2 workers started of 2 wanted') x 4), "a small file system: $enough kB are enough, and workers stay");
	is_deeply(\%learned_here, { $learned{uniform} => 1 }, 'a small file system: the same is learned whatever its size');
}
log_holds_no_fault($small, 'little shared memory: the log holds no fault', also => qr/WARNING:/);

done_testing();
