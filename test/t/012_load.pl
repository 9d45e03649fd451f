# Lists under load, with refreshes going on: no error, no answer that mixes two versions of the model, and no process that
# grows.  A few seconds, or ten minutes where RECO_SLOW is set.
#
# The events are such that every answer tells the version of the model it comes from.  In version v people choose, with
# item i, the items i + s and i - s, where s is 1 + v % 40 (all modulo 100).  Version and model change in one transaction,
# so that in any one snapshot a list must be the one of that snapshot's version, and of no other.

use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use Faults;
use IPC::Run;
use List::Util qw(max min);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

my $seconds = is_slow() ? 600 : 12;
my $pause = is_slow() ? '2000 ms' : '300 ms';

my $node = server('main', "max_connections = 50\nmax_standby_streaming_delay = -1\nhot_standby_feedback = on\nmax_parallel_maintenance_workers = 1\nshared_buffers = 32MB\ndeadlock_timeout = 100ms\nautovacuum = on\nautovacuum_naptime = 1s", allows_streaming => 1);
$node->start;

# Users 1 to 400 are those who are learned from, 1001 to 1100 those who ask, each with one item.  Items from 200 on come and
# go with the version, so that rows are inserted and deleted, and items from 100000 on are what everybody orders meanwhile.
$node->safe_psql('postgres', q{
	CREATE EXTENSION reco;
	CREATE TABLE version AS SELECT 0 AS v;
	CREATE TABLE chosen AS SELECT u, u % 100 AS i, false AS moves FROM generate_series(1, 400) u UNION ALL SELECT u, u % 100, true FROM generate_series(1, 400) u;
	CREATE TABLE orders AS SELECT 1001 + i AS u, i FROM generate_series(0, 99) i
		UNION ALL SELECT 5000 + n, 100000 + (n * 7) % 500 FROM generate_series(1, 2000) n;
	CREATE TABLE memory (load text, pid int, at timestamptz, bytes bigint);
	CREATE INDEX ON chosen (u); CREATE INDEX ON orders (u);
	SELECT reco_create_model('shop', $$
		SELECT u AS user_id, CASE WHEN moves THEN (i + 1 + (SELECT v % 40 FROM public.version)) % 100 ELSE i END AS item_id FROM public.chosen
		UNION ALL SELECT u, 200 + i + 100 * (SELECT v % 3 FROM public.version) FROM public.chosen WHERE u <= 200
		UNION ALL SELECT u, i FROM public.orders$$);
	SELECT reco_configure('shop', similarity => 'cooccurrence', neighbors => 50, user_exponent => 0, source_exponent => 0, target_exponent => 0);
	SELECT reco_create_model('other', 'SELECT u AS user_id, i AS item_id FROM public.orders');
	-- What people choose with an item in the version of this snapshot.
	CREATE FUNCTION expected(item int) RETURNS bigint[] LANGUAGE sql STABLE AS $$
		SELECT array_agg(x::bigint ORDER BY x) FROM public.version, unnest(ARRAY[(item + 1 + v % 40) % 100, (item + 99 - v % 40) % 100]) x $$;
	-- Answers 1, or fails.
	CREATE FUNCTION right_answer(answer boolean) RETURNS int LANGUAGE plpgsql STABLE AS $$
	BEGIN IF answer IS NOT TRUE THEN RAISE EXCEPTION 'wrong answer'; END IF; RETURN 1; END $$;
	SELECT reco_refresh('shop'); SELECT reco_refresh('other');
	VACUUM ANALYZE});
is($node->safe_psql('postgres', 'SELECT count(*) FROM shop.learned_item WHERE item_id BETWEEN 200 AND 299'), 100, 'items of the version are learned');

# A replica, which is asked the same.
$node->backup('backup');
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'backup', has_streaming => 1);
$replica->start;

# A slow machine, or one that is busy with something else, needs longer for as much of everything: 12 s are for one that makes a
# refresh, with the session it needs, in a fifth of a second.
if (!is_slow())
{
	my $begun = time;
	$node->safe_psql('postgres', q{UPDATE version SET v = v + 1; SELECT reco_refresh('shop')}) for 1 .. 3;
	my $lasts = (time - $begun) / 3;
	$seconds = int(min(120, max($seconds, 60 * $lasts)));
	note(sprintf('a refresh takes %.0f ms, so the load lasts %d s', 1000 * $lasts, $seconds));
}

# What is asked.  Each question holds the answer against the version of its own snapshot.
my %asked = (
	'top_n@6' => q{SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FROM reco_top_n(:user::bigint, 2, 'shop', fallback => false)) = expected(:item));},
	'door@3' => q{SELECT right_answer((SELECT array_agg(item_id::bigint ORDER BY item_id) FROM shop.top_n(:user, 2, fallback => false)) = expected(:item)
		AND (SELECT bool_and(because = :item) FROM shop.top_n(:user, 2, fallback => false)));},
	'similar@3' => q{SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FILTER (WHERE item_id < 100) FROM reco_similar_items(:item::bigint, 50, 'shop')) = expected(:item));},
	'scores@1' => q{SELECT right_answer((SELECT array_agg(i::bigint ORDER BY i) FROM generate_series(0, 99) i WHERE reco_score(:user::bigint, i, 'shop') > 0) = expected(:item)
		AND (SELECT count(*) FROM generate_series(0, 99) i WHERE reco_score(:user::bigint, i, 'shop') > 0) = 2);},
	'basket@2' => q{SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FROM reco_complete(ARRAY[:item]::bigint[], NULL, 'shop', fallback => false) WHERE item_id < 100) = expected(:item));},
	'why@1' => q{SELECT right_answer((SELECT bool_and((SELECT count(*) FROM reco_why(:user::bigint, e, 'shop')) = 1) FROM unnest(expected(:item)) e));},
	'view@1' => q{SELECT right_answer((SELECT array_agg(similar_item_id::bigint ORDER BY similar_item_id) FROM shop.similar WHERE item_id = :item AND similar_item_id < 100) = expected(:item));},
	'everyone@1' => q{SELECT right_answer((SELECT bool_and(list = expected(user_id::int - 1001)) AND count(*) = 100
		FROM (SELECT user_id, array_agg(item_id::bigint ORDER BY item_id) AS list FROM shop.top_n_all(2, fallback => false) WHERE user_id BETWEEN 1001 AND 1100 GROUP BY 1) a));},
	'other@1' => q{SELECT right_answer((SELECT count(*) = 5 FROM reco_popular(5, 'other')));},
	'full@1' => q{SELECT right_answer((SELECT count(DISTINCT item_id) = 20 FROM reco_top_n(:user::bigint, 20, 'shop')));},
	# Several questions in one transaction, whose snapshot may be one.
	'long@1' => q{BEGIN;
		SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FROM reco_top_n(:user::bigint, 2, 'shop', fallback => false)) = expected(:item));
		\sleep 200 ms
		SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FROM reco_top_n(:user::bigint, 2, 'shop', fallback => false)) = expected(:item));
		SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FILTER (WHERE item_id < 100) FROM reco_similar_items(:item::bigint, 50, 'shop')) = expected(:item));
		COMMIT;},
	# What is ordered counts at once, in the transaction that orders it.
	'order@2' => q{BEGIN ISOLATION LEVEL REPEATABLE READ;
		INSERT INTO orders SELECT :user, (expected(:item))[1];
		SELECT right_answer((SELECT array_agg(item_id) FILTER (WHERE item_id = ANY (expected(:item))) FROM reco_top_n(:user::bigint, NULL, 'shop', fallback => false)) = (expected(:item))[2:2]);
		ROLLBACK;},
	# Everybody orders something, and sends something back, three things at most for two: as many orders stay as there were, and
	# a refresh, whose process keeps the more of its memory the more it had, has no more to do at the end than at the beginning.
	'noise@4' => q{BEGIN;
		INSERT INTO orders VALUES (5000 + :noise, 100000 + :thing), (5000 + :noise, 100000 + (:thing * 3) % 500);
		DELETE FROM orders WHERE ctid = ANY (ARRAY(SELECT ctid FROM orders WHERE u = 5000 + (:noise * 7) % 2000 LIMIT 3 FOR UPDATE SKIP LOCKED));
		COMMIT;},
	'memory@2' => q{INSERT INTO memory SELECT current_setting('application_name'), pg_backend_pid(), clock_timestamp(), sum(used_bytes) FROM pg_backend_memory_contexts;},
);

my $folder = PostgreSQL::Test::Utils::tempdir;

# A script for pgbench, with numbers drawn at random.
sub script
{
	my ($name, $sql) = @_;
	$sql =~ s/\n\t+/\n/g;
	append_to_file("$folder/$name", "\\set item random(0, 99)\n\\set user 1001 + :item\n\\set noise random(1, 2000)\n\\set thing random(0, 499)\n$sql\n");
	return "$folder/$name";
}

my %scripts = map { my ($name, $weight) = split /@/; $_ => script($name, $asked{$_}) . "\@$weight" } keys %asked;

# Refreshes, which make a new version or take one back that nobody ever saw.
my $new_version = script('new_version', qq{BEGIN;\nUPDATE version SET v = v + 1;\nSELECT reco_refresh('shop');\nCOMMIT;\n\\sleep $pause});
my $undone = script('undone', qq{BEGIN;\nUPDATE version SET v = v + 17;\nSELECT reco_refresh('shop');\nROLLBACK;\n\\sleep $pause});
my $other = script('of_other', qq{SELECT reco_refresh('other');\n\\sleep $pause});

# Models that change places in a ring: in the one that was made as number m people choose, with item 1000 m + i, those m + 1
# before and after.  Who asks while they move has the answer of one of them, or is told to try again.
sub make_ring
{
	my ($name, $models, $waits) = @_;
	for my $m (0 .. $models - 1)
	{
		$node->safe_psql('postgres', qq{
			SELECT reco_create_model('${name}_$m', 'SELECT u AS user_id, 1000 * $m + (i + moves::int * ($m + 1)) % 100 AS item_id FROM public.chosen$waits');
			SELECT reco_configure('${name}_$m', similarity => 'cooccurrence', user_exponent => 0, source_exponent => 0, target_exponent => 0);
			SELECT reco_refresh('${name}_$m')});
	}
}

# Each takes the place of the one before it, and the first that of the last.
sub move_ring
{
	my ($name, $models, $pause) = @_;
	my $last = $models - 1;
	return script("move_$name", join("\n", 'BEGIN;', "ALTER SCHEMA ${name}_0 RENAME TO ${name}_on_its_way;", (map { "ALTER SCHEMA ${name}_$_ RENAME TO ${name}_" . ($_ - 1) . ';' } 1 .. $last),
		"ALTER SCHEMA ${name}_on_its_way RENAME TO ${name}_$last;", 'COMMIT;', "\\sleep $pause"));
}

sub ask_ring
{
	my ($name, $models) = @_;
	my $last = $models - 1;
	return script("ask_$name", qq{SELECT right_answer((SELECT array_agg(item_id ORDER BY item_id) FROM reco_top_n(1 + :item::bigint, 2, '${name}_0', fallback => false))
	IN (SELECT array_agg(1000 * m + x::bigint ORDER BY x) FROM generate_series(0, $last) m,
		LATERAL unnest(ARRAY[(:item + 1 + 100 - m - 1) % 100, (:item + 1 + 2 * (m + 1)) % 100]) x GROUP BY m));});
}

# Two of them do all the time, and their events take a while to read: many a question begins by one, reads from the other and
# ends by the first again.
$node->safe_psql('postgres', q{CREATE FUNCTION nap() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$ BEGIN PERFORM pg_sleep(0.004 * random()); RETURN true; END $$});
make_ring('place', 6, '');
make_ring('pair', 2, ', (SELECT public.nap() OFFSET 0) AS waits');

my @runs;
my $clients = 0;
sub run_load
{
	my ($name, $server, $options, $count, @arguments) = @_;
	(my $file = "$folder/$name") =~ s/ /_/g;
	my $run = { name => $name, out => "$file.out", err => "$file.err" };
	local $ENV{PGOPTIONS} = $options;
	local $ENV{PGHOST} = $server->host;
	local $ENV{PGPORT} = $server->port;
	local $ENV{PGAPPNAME} = "load: $name";
	$run->{process} = IPC::Run::start([ 'pgbench', '-n', '-T', $seconds, '--max-tries=1000', '-c', $count, @arguments, 'postgres' ],
		'<', '/dev/null', '>', $run->{out}, '2>', $run->{err});
	push @runs, $run;
	$clients += $count;
}

# Serializable sessions may be told to try again, but only where they write.
my @readers = grep { !/^(noise|memory|order)@/ } sort keys %scripts;
for my $level ('read committed', 'repeatable read', 'serializable')
{
	my @names = $level eq 'serializable' ? @readers : sort keys %scripts;
	(my $escaped = $level) =~ s/ /\\ /;
	run_load($level, $node, "-c default_transaction_isolation=$escaped", $level eq 'read committed' ? 4 : 2, map { ('-f', $scripts{$_}) } @names);
}
run_load('prepared', $node, '', 2, '-M', 'prepared', map { ('-f', $scripts{$_}) } grep { !/^(long|order)@/ } sort keys %scripts);
run_load('replica', $replica, '-c default_transaction_isolation=repeatable\ read', 2, map { ('-f', $scripts{$_}) } @readers);
run_load('changing places', $node, '', 1, '-f', move_ring('place', 6, '50 ms'));
run_load('asked meanwhile', $node, '', 2, '-f', ask_ring('place', 6));
run_load('a pair changing places', $node, '', 1, '-f', move_ring('pair', 2, '2 ms'));
run_load('a pair asked meanwhile', $node, '', 2, '-f', ask_ring('pair', 2));
run_load('refreshes', $node, '', 2, '-f', "$new_version\@4", '-f', "$undone\@1");
run_load('refreshes of another model', $node, '', 1, '-f', $other);

# The memory of each backend that serves the load, in kilobytes, without what all share: the least of what was seen in each of
# three parts of the load.  What a refresh has while it works comes and goes, and is looked past so; the first quarter does not
# count, since what is asked rarely comes for the first time then.
my (%load_of, %floors);
my $start = time;
my $cancelled = 0;

# Looks at every backend once.
sub look_at_memory
{
	my $part = int(4 * (time - $start) / $seconds) - 1;
	return if $part < 0 || $part > 2;
	for my $pid (keys %load_of)
	{
		open(my $file, '<', "/proc/$pid/status") or next;
		my ($kilobytes) = join('', <$file>) =~ /^RssAnon:\s+(\d+) kB/m or next;
		my $floor = \$floors{$pid}[$part];
		$$floor = min($kilobytes, $$floor // $kilobytes);
	}
}

while (time - $start < $seconds)
{
	%load_of = (%load_of, map { split /[|\n]/, $_->safe_psql('postgres', q{SELECT pid, application_name FROM pg_stat_activity WHERE application_name LIKE 'load: %'}) } ($node, $replica));
	for (my $until = time + (is_slow() ? 5 : 1); time < $until; sleep 0.05)
	{
		look_at_memory;
	}
	# Some refreshes are cancelled.
	my (undef, undef, $err) = $node->psql('postgres', q{SET statement_timeout = '30ms'; SELECT reco_refresh('shop')});
	$cancelled++ if $err =~ /canceling statement due to statement timeout/;
}

for my $run (@runs)
{
	$run->{process}->finish;
	$run->{$_} = slurp_file($run->{$_}) for ('out', 'err');
	my ($done) = $run->{out} =~ /number of transactions actually processed: (\d+)/;
	my ($failed) = $run->{out} =~ /number of failed transactions: (\d+)/;
	is($run->{process}->result(0), 0, "$run->{name}: pgbench ends well");
	cmp_ok($done // 0, '>', is_slow() ? 100 : 5, "$run->{name}: " . ($done // 'no') . ' transactions');
	is($failed // 'unknown', 0, "$run->{name}: none failed");
	unlike($run->{err}, qr/ERROR|aborted|FATAL/, "$run->{name}: no error") or diag(substr($run->{err}, 0, 2000));
}
my $versions = $node->safe_psql('postgres', 'SELECT v FROM version');
cmp_ok($versions, '>=', is_slow() ? 50 : 5, "$versions versions came and went, $cancelled refreshes were cancelled");

# What leaks grows in every part of the load; what grows once, and then no more, was needed for the first time.  So it takes both
# steps from part to part, each a good share of the rise, to call it growth.
sub grows
{
	my ($first, $second, $third, $leeway) = @_;
	my $rise = $third - $first;
	return $rise > $leeway && min($second - $first, $third - $second) > $rise / 4;
}

SKIP:
{
	skip 'no /proc', 2 unless -r "/proc/$$/status";
	my @whole = grep { 3 == grep { defined } @{ $floors{$_} } } keys %floors;
	my @grown = map { "$_, a process of $load_of{$_}, grew from $floors{$_}[0] to $floors{$_}[1] to $floors{$_}[2] kB" }
	  grep { grows(@{ $floors{$_} }, 512 + $floors{$_}[0] / 20) } @whole;
	is(scalar(@whole), $clients, 'the memory of every process was looked at');
	is(join("\n", @grown), '', 'no process grew');
}
my @used = map { [ split /\|/ ] } split /\n/, $node->safe_psql('postgres', q{
	WITH parts AS (SELECT load, pid, ntile(4) OVER (PARTITION BY pid ORDER BY at) AS part, bytes FROM memory)
	SELECT load, pid, min(bytes) FILTER (WHERE part = 2), min(bytes) FILTER (WHERE part = 3), min(bytes) FILTER (WHERE part = 4)
	FROM parts GROUP BY load, pid HAVING count(*) >= 12});
cmp_ok(scalar(@used), '>', 0, 'memory contexts were looked at');
is( join("\n", map { "$$_[1], a process of $$_[0], used $$_[2], $$_[3], $$_[4] bytes" } grep { grows(@$_[ 2 .. 4 ], 262144 + $$_[2] / 10) } @used),
	'', 'no memory context grew');

# In the end the model is what one that starts anew learns.
is( $node->safe_psql('postgres', q{
		SELECT reco_create_model('fresh', 'SELECT * FROM shop.events');
		SELECT reco_configure('fresh', similarity => 'cooccurrence', neighbors => 50, user_exponent => 0, source_exponent => 0, target_exponent => 0);
		SELECT reco_refresh('shop') IS NULL, reco_refresh('fresh') IS NULL;
		SELECT count(*) FROM (
			(SELECT item_id, similar_item_id, similarity, support FROM fresh.similar EXCEPT SELECT item_id, similar_item_id, similarity, support FROM shop.similar)
			UNION ALL
			(SELECT item_id, similar_item_id, similarity, support FROM shop.similar EXCEPT SELECT item_id, similar_item_id, similarity, support FROM fresh.similar)) s;
		SELECT reco_drop_model('fresh')}), "\n\nf|f\n0\n", 'in the end the model is what one learns that starts anew');
is(leftovers($node), '', 'nothing lies about');
$node->wait_for_catchup($replica);
is($replica->safe_psql('postgres', 'TABLE shop.model'), $node->safe_psql('postgres', 'TABLE shop.model'), 'and the replica has it');
log_holds_no_fault($_, 'the log of ' . $_->name . ' holds no fault', also => qr/ERROR:  wrong answer/) for ($node, $replica);
$_->stop for ($replica, $node);
done_testing();
