# A refresh in little memory: the same model, in no more than it was given and what the result needs, and nothing left
# behind where files may not grow either.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults qw(log_holds_no_fault);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use List::Util qw(min);
use Test::More;

# The server's own shared memory is small, so that what a process holds is what the refresh made it hold.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', slurp_file($ENV{RECO_SERVER_CONF}))
  if -s ($ENV{RECO_SERVER_CONF} // '');
$node->append_conf('postgresql.conf', "shared_buffers = 1MB\nautovacuum = off\nmax_parallel_maintenance_workers = 0\njit = off");
$node->start;

# 330,000 events of 4,000 users with 1,500 items: at the least maintenance_work_mem, 1 MB, neither events nor cells fit.
$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE TABLE visits AS
		SELECT u, floor(1500 * power((hashint8extended(n, u) & 1048575) / 1048576.0, 2))::int AS i, (1 + n % 3)::float8 AS w,
			timestamptz '2024-01-01' + (hashint8extended(u, n) & 1048575) * interval '1 minute' AS t
		FROM generate_series(1, 4000) u, LATERAL generate_series(1, 20 + (hashint4(u) & 127)) n;
	VACUUM ANALYZE visits});

my %models = (
	uniform => q{similarity => 'cosine', weighting => 'binary', keep => 'target'},
	weights => q{similarity => 'bm25', weighting => 'log', keep => 'source'},
	decay => q{similarity => 'cooccurrence', half_life => '60 days', keep => 'target'},
	counts => q{similarity => 'llr'},
	ridge => q{similarity => 'ridge', candidates => 40},
	auto => q{similarity => 'auto', candidates => 40});
my $passes = qr/NOTICE:  refresh of model "\w+" goes through temporary files, in passes/;

sub create_model
{
	my ($model, $table, $settings) = @_;
	$node->safe_psql('postgres', qq{SELECT reco_create_model('$model', 'SELECT u AS user_id, i AS item_id, w AS weight, t AS occurred_at FROM public.$table');
		SELECT reco_configure('$model', $settings)});
}

# Refreshes from nothing.  Returns what was learned, byte for byte, how often it went through files, and all that was said.
sub learn
{
	my ($model, $memory, $set) = @_;
	my ($status, $out, $err) = $node->psql('postgres', qq{SET maintenance_work_mem = '$memory'; $set; TRUNCATE $model.learned_item;
		SELECT events FROM reco_refresh('$model');
		SELECT count(*), sum(length(neighbors)), md5(string_agg(l::text, ' ' ORDER BY item_id)) FROM $model.learned_item l;
		SELECT curve_pairs, curve_score, curve_match, picked_lambda FROM $model.model});
	return ($out, scalar(() = $err =~ /$passes/g), $err);
}

sub temporary_files { return scalar(() = glob($node->data_dir . '/base/pgsql_tmp/*')); }

# The same model from whatever memory.

my %learned;
for my $model (sort keys %models)
{
	create_model($model, 'visits', $models{$model});
	my ($wanted, $times, $err) = learn($model, '256MB', 'SELECT');
	like($wanted, qr/^\d{6}\n1\d{3}\|[1-9]\d{4,}\|[0-9a-f]{32}\n/, "$model: there is something to compare") or diag($err);
	is($times, 0, "$model: with ample memory, nothing is said of files");
	$learned{$model} = $wanted;
	for (['1MB', 0], ['1MB', 2], ['1500kB', 0], ['3MB', 2])
	{
		my ($memory, $workers) = @$_;
		my ($have, $times, $err) = learn($model, $memory, "SET max_parallel_maintenance_workers = $workers");
		is($have, $wanted, "$model: $memory and $workers workers learn the same");
		is($times, $memory eq '1MB' ? 1 : $times, "$model, $memory: it says once that it goes through files");
	}
}
is(scalar(keys %{ { reverse %learned } }), scalar(keys %models), 'no two models are the same');
is(temporary_files(), 0, 'no temporary file is left');

# Where memory begins to do for the cells, there is enough for what comes beside them: positions in time, weighed cells.
{
	my %said;
	for (my $memory = 3000; $memory <= 5500; $memory += 125)
	{
		my ($have, $times, $err) = learn('auto', "${memory}kB", 'SELECT');
		$said{$times}++;
		is($have, $learned{auto}, "auto: ${memory}kB learns the same") or diag($err);
	}
	cmp_ok(min($said{0} // 0, $said{1} // 0), '>=', 3, 'some of these in passes, some at once');
}

# Passes are shared by workers, where there is memory for them.
for my $model (sort grep { $_ ne 'auto' } keys %models)
{
	for my $workers (1, 2, 4)
	{
		my ($have, $times, $err) = learn($model, '1500kB', "SET max_parallel_maintenance_workers = $workers; SET client_min_messages = debug1");
		my ($after) = $err =~ /$passes(.*)/s;
		$have =~ s/^DEBUG.*\n//mg;
		is($have, $learned{$model}, "$model: passes of $workers workers learn the same");
		like($after // '', qr/DEBUG:  [1-9] workers started of [1-$workers] wanted/, "$model: $workers workers share the passes");
	}
}

# What the message says to set is enough.
{
	my ($have, $times, $err) = learn('weights', '1MB', 'SELECT');
	like($err, qr/DETAIL:  To learn from \d{6} cells of \d+ users and \d+ items at once takes [1-9]\d* MB of maintenance_work_mem, which is 1 MB\./, 'it says how much it would take');
	my ($megabytes) = $err =~ /HINT:  Set maintenance_work_mem for this session, for example to ([1-9]\d*) MB/;
	cmp_ok($megabytes, '<', 64, 'and what to set');
	($have, $times) = learn('weights', "${megabytes}MB", 'SELECT');
	is($times, 0, "with $megabytes MB it learns in memory");
	is($have, $learned{weights}, 'the same');
}

# The memory of the process, in kilobytes: the most it ever had.
sub most_memory
{
	my ($pid) = @_;
	return slurp_file("/proc/$pid/status") =~ /^VmHWM:\s+(\d+) kB/m ? $1 : undef;
}

# What a result needs: a fixed number of bytes an item, 12 bytes a place and pair, and those held out.
my $result = q{items * 600 + 12 * (items * (%d) + 2 * neighbor_pairs) + 1048576};

# Refreshes, and holds what the process came to hold against what it was given.
sub bounded
{
	my ($name, $model, $megabytes, $places) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()') + 0;
	# Plans and caches, with a model like it.
	$session->query("SELECT count(*) FROM reco_refresh('tiny')");
	my $before = most_memory($pid);
	$session->query("SET maintenance_work_mem = '${megabytes}MB'");
	my $out = $session->query(sprintf("SELECT peak_memory / 1024, ($result) / 1024 FROM reco_refresh('$model')", $places));
	my ($peak, $result) = $out =~ /(\d+)\|(\d+)/;
	my $after = most_memory($pid);
	$session->quit;
	cmp_ok($peak, '<=', $megabytes * 1024 + $result, "$name: the report's peak, $peak kB, is within $megabytes MB and what the result needs");
	cmp_ok($after - $before, '<=', $peak + 4096, "$name: the process came to hold " . ($after - $before) . ' kB, no more than the report says');
	cmp_ok($after - $before, '>=', $peak / 3, "$name: nor far less");
}

SKIP:
{
	skip 'no /proc', 1 unless -r "/proc/$$/status";
	$node->safe_psql('postgres', 'CREATE TABLE few AS SELECT * FROM visits WHERE u < 20');
	create_model('tiny', 'few', q{similarity => 'cooccurrence'});
	# What auto may pick keeps 200 neighbours: so many from each item and to each, 40 that are solved for, and 400 while rows of
	# both are put in order.
	bounded("$_, 1 MB", $_, 1, $_ eq 'ridge' ? 300 : $_ eq 'auto' ? 840 : 240) for sort keys %models;
	bounded('weights, 4 MB', 'weights', 4, 240);
	bounded('uniform, 16 MB', 'uniform', 16, 240);
}

# Events no pile can be cut small enough for by users: one has a million of them, of many items, or of one, all alike.
$node->safe_psql('postgres', q{
	CREATE TABLE crawler AS
		SELECT 1 AS u, (hashint4(n) & 2047) AS i, timestamptz '2026-01-01' + (hashint4(n + 7) & 1048575) * interval '1 second' AS t, (1 + n % 5)::real AS w
		FROM generate_series(1, 1000000) n
		UNION ALL SELECT u, hashint8(u * 100 + n) & 63, timestamptz '2026-01-01' + n * interval '1 day', 1 FROM generate_series(2, 2000) u, generate_series(1, 6) n;
	CREATE TABLE mono AS
		SELECT 1 AS u, 7 AS i, timestamptz '2026-01-01' AS t, 1.5::real AS w FROM generate_series(1, 300000) n
		UNION ALL SELECT 1, 8, timestamptz '2026-01-01' + (hashint4(n) & 1048575) * interval '1 second', 0.1 FROM generate_series(1, 200000) n
		UNION ALL SELECT u, CASE n WHEN 1 THEN 7 ELSE hashint8(u * 100 + n) & 63 END, timestamptz '2026-01-01' + n * interval '1 day', 1
		FROM generate_series(2, 20000) u, generate_series(1, 6) n;
	CREATE TABLE one AS SELECT 1 AS u, n AS i, timestamptz '2026-01-01' AS t, 1::real AS w FROM generate_series(1, 50000) n});
for my $model ('crawler', 'mono', 'one')
{
	create_model("of_$model", $model, q{half_life => '30 days', similarity => 'cooccurrence', max_history => 3000});
	my ($wanted) = learn("of_$model", '256MB', 'SELECT');
	like($wanted, qr/^\d{5,}\n/, "$model: it is learned from");
	my ($have) = learn("of_$model", '1MB', 'SELECT');
	is($have, $wanted, "$model: the same in 1 MB");
}

# Very many long ids: of every one the report is as long.  RECO_IDS says how many; ten million take 5 GB and a quarter of an hour.
{
	my $ids = $ENV{RECO_IDS} // 100000;
	$node->safe_psql('postgres', qq{CREATE TABLE long AS
		SELECT rpad('user ' || n / 20, 200, 'x') AS u, rpad('item ' || n, 200, 'y') AS i, 1::real AS w, timestamptz '2026-01-01' + n % 20 * interval '1 day' AS t
		FROM generate_series(1, $ids) n});
	create_model('of_long', 'long', q{similarity => 'cooccurrence', min_support => 1});
	is($node->safe_psql('postgres', q{SET maintenance_work_mem = '1MB'; SELECT events, items, rows_written FROM reco_refresh('of_long')}),
		join('|', ($ids) x 3), "$ids text ids of 200 bytes are learned in 1 MB");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM of_long.learned_item WHERE length(item_id) = 200}), $ids, 'and every one is stored');
	bounded("$ids text ids of 200 bytes", 'of_long', 1, 20) if -r "/proc/$$/status";
}

# Files that may not grow.
for my $model ('weights', 'ridge')
{
	my $stored = "SELECT md5(string_agg(l::text, ' ' ORDER BY item_id)) FROM $model.learned_item l; SELECT * FROM $model.model";
	my $before = $node->safe_psql('postgres', $stored);
	my %met;
	for my $limit (100, 500, 2000, 4000, 6000, 8000, 8500, 9000, 9500, 10000, 10500, 11000, 11500, 12000, 13000, 20000)
	{
		my ($status, $out, $err) = $node->psql('postgres', qq{SET maintenance_work_mem = '1MB'; SET temp_file_limit = $limit; SELECT events FROM reco_refresh('$model')},
			extra_params => [ '-v', 'VERBOSITY=verbose' ]);
		last if $status == 0;
		like($err, qr/ERROR:  53400: temporary file size exceeds "?temp_file_limit"? \($limit ?kB\)/, "$model, $limit kB for files: says so");
		$met{ $err =~ /in passes/ ? 'passes' : 'events' } = 1;
		is(temporary_files(), 0, "$model, $limit kB: no temporary file is left");
		is($node->safe_psql('postgres', $stored), $before, "$model, $limit kB: the old model is what it was");
	}
	is(join(' ', sort keys %met), 'events passes', "$model: the limit was met while events were read, and later");
}

# Cancelled between passes.
{
	my $stored = 'SELECT * FROM weights.model';
	my $before = $node->safe_psql('postgres', $stored);
	my $session = $node->background_psql('postgres', on_error_stop => 0, extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	my $pid = $session->query('SELECT pg_backend_pid()') + 0;
	$session->query_until(qr/sent off/, "SET maintenance_work_mem = '1MB';\nSET max_parallel_maintenance_workers = 0;\n\\echo sent off\nSELECT reco_refresh('weights');\n");
	# Seen and cancelled by one statement, which looks two hundred times a second: the passes do not last long.
	is($node->safe_psql('postgres', qq{DO \$\$
		DECLARE seen boolean;
		BEGIN
			FOR look IN 1 .. 20000 LOOP
				PERFORM pg_stat_clear_snapshot();
				PERFORM pg_cancel_backend(pid) FROM reco_progress WHERE pid = $pid AND phase = 'learn' AND done BETWEEN 1 AND total;
				seen := FOUND;
				EXIT WHEN seen;
				PERFORM pg_sleep(0.005);
			END LOOP;
			PERFORM set_config('test.seen', seen::text, false);
		END \$\$; SELECT current_setting('test.seen')}), 'true', 'it tells how far its passes have come');
	my $start = time;
	$session->query('SELECT');
	cmp_ok(time - $start, '<=', 2, 'cancelled at once');
	like($session->{stderr}, qr/ERROR:  57014: .*canceling statement due to user request/, 'and says so');
	$session->quit;
	is(temporary_files(), 0, 'no temporary file is left');
	is($node->safe_psql('postgres', $stored), $before, 'the old model is what it was');
}

$node->stop;
log_holds_no_fault($node, 'the log holds no fault', also => qr/WARNING:/);
done_testing();
